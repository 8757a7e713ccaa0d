import type { CriuImage, PayloadRange } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { SK_FAMILY, SK_PROTO, SK_STATE, SK_TYPE } from "../../formats/criu/names.js";
import type { InetSkEntry } from "../../formats/criu/tables/sk-inet.js";
import type { NetlinkSkEntry } from "../../formats/criu/tables/sk-netlink.js";
import type { SkOptsEntry } from "../../formats/criu/tables/sk-opts.js";
import type { PacketSockEntry } from "../../formats/criu/tables/sk-packet.js";
import type { UnixSkEntry } from "../../formats/criu/tables/sk-unix.js";
import { enumName } from "../../io/enums.js";
import { bytesToText } from "../../io/text.js";
import { IPPROTO_TCP, TCP_ESTABLISHED, TCP_LISTEN } from "../../linux/sockets.js";
import { formatAddress } from "../../schema/ip-address.js";
import type { FileTable, OpenFile, Socket, SocketQueue } from "../checkpoint.js";
import type { StoredBytes } from "../stored-bytes.js";

/** The socket side of an open file; undefined for files that are no sockets. */
export function socketOf(file: OpenFile, files: FileTable, set: CriuImageSet): Socket | undefined {
  switch (file.type) {
    case "UNIXSK":
      return {
        ...unixSocket(file.record as UnixSkEntry, files),
        waiting: () => messagesFor(set, file.id),
        queued: () => packetQueues(set).get(file.id)?.queue,
      };
    case "INETSK":
      return inetSocket(file.record as InetSkEntry, set);
    case "NETLINKSK":
      return netlinkSocket(file.record as NetlinkSkEntry);
    case "PACKETSK":
      return packetSocket(file.record as PacketSockEntry);
    default:
      return undefined;
  }
}

/** The name of a unix socket as people write it: a path, `@abstract`, or nothing. */
export function unixName(entry: UnixSkEntry): string {
  const { name } = entry;
  if (name.length === 0) return "";
  if (name[0] === 0) return `@${bytesToText(name.subarray(1)).replaceAll("\0", "@")}`;
  const path = bytesToText(name.at(-1) === 0 ? name.subarray(0, -1) : name);
  return path.startsWith("/") || entry.name_dir === undefined ? path : `${entry.name_dir}/${path}`;
}

function unixSocket(entry: UnixSkEntry, files: FileTable): Omit<Socket, "queued" | "waiting"> {
  const peer = peerOf(entry, files);
  return {
    family: "UNIX",
    type: enumName(SK_TYPE, entry.type),
    protocol: "",
    state: enumName(SK_STATE, entry.state),
    inode: entry.ino,
    local: unixName(entry),
    remote: peer === undefined ? "" : unixName(peer.record as UnixSkEntry),
    localPort: undefined,
    remotePort: undefined,
    backlog: entry.state === TCP_LISTEN ? entry.backlog : undefined,
    peerInode: entry.peer,
    peer,
    connected: false,
    ...optionsOf(entry),
  };
}

interface PacketQueue {
  received: number;
  packets: number;
}

interface StoredQueue {
  readonly queue: PacketQueue;
  readonly ranges: PayloadRange[];
}

const queuesOf = new WeakMap<CriuImageSet, ReadonlyMap<number, StoredQueue>>();

/** What waits to be read from unix sockets, by id of the open file. */
function packetQueues(set: CriuImageSet): ReadonlyMap<number, StoredQueue> {
  const known = queuesOf.get(set);
  if (known !== undefined) return known;
  const queues = new Map<number, StoredQueue>();
  for (const { value, payload } of set.image(IMAGES.SK_QUEUES)?.heldRecords() ?? []) {
    const stored = queues.get(value.id_for) ?? { queue: { received: 0, packets: 0 }, ranges: [] };
    queues.set(value.id_for, stored);
    stored.queue.received += value.length;
    stored.queue.packets++;
    stored.ranges.push(...payload);
  }
  queuesOf.set(set, queues);
  return queues;
}

function messagesFor(set: CriuImageSet, file: number): StoredBytes[] {
  const image = set.image(IMAGES.SK_QUEUES);
  const ranges = packetQueues(set).get(file)?.ranges ?? [];
  return image === undefined ? [] : ranges.map((range) => storedBytes(image, range));
}

/** What was received stands before what is still to be sent. */
function* received(set: CriuImageSet, inode: number): Generator<StoredBytes> {
  const image = set.image(IMAGES.TCP_STREAM, inode);
  const [first] = image?.readRecords() ?? [];
  const [range] = first?.payload ?? [];
  if (image === undefined || first === undefined || range === undefined) return;
  yield storedBytes(image, { ...range, size: Math.min(range.size, first.value.inq_len) });
}

function storedBytes(image: CriuImage, { offset, size }: Pick<PayloadRange, "offset" | "size">): StoredBytes {
  return { size, read: (from, count) => image.source.read(offset + from, count) };
}

/** The image of a connection is absent in sets that were dumped to close their connections. */
function streamQueues(set: CriuImageSet, inode: number): SocketQueue | undefined {
  const stream = set.first(IMAGES.TCP_STREAM, inode);
  return stream === undefined ? undefined : { received: stream.inq_len, unsent: stream.outq_len };
}

const unixByInode = new WeakMap<FileTable, Map<number, OpenFile>>();

function peerOf(entry: UnixSkEntry, files: FileTable): OpenFile | undefined {
  if (entry.peer === 0) return undefined;
  let byInode = unixByInode.get(files);
  if (byInode === undefined) {
    byInode = new Map(
      files.all.filter((file) => file.type === "UNIXSK").map((file) => [file.record.ino as number, file]),
    );
    unixByInode.set(files, byInode);
  }
  return byInode.get(entry.peer);
}

function inetSocket(entry: InetSkEntry, set: CriuImageSet): Socket {
  const hasRemote = entry.dst_port !== 0;
  const connected =
    entry.proto === IPPROTO_TCP &&
    entry.state !== TCP_LISTEN &&
    (hasRemote || entry.state === TCP_ESTABLISHED);
  return {
    family: enumName(SK_FAMILY, entry.family),
    type: enumName(SK_TYPE, entry.type),
    protocol: enumName(SK_PROTO, entry.proto),
    state: enumName(SK_STATE, entry.state),
    inode: entry.ino,
    local: `${bracketed(formatAddress(entry.src_addr))}:${entry.src_port}`,
    remote: hasRemote ? `${bracketed(formatAddress(entry.dst_addr))}:${entry.dst_port}` : "",
    localPort: entry.src_port,
    remotePort: hasRemote ? entry.dst_port : undefined,
    backlog: entry.state === TCP_LISTEN ? entry.backlog : undefined,
    peerInode: undefined,
    peer: undefined,
    ...optionsOf(entry),
    connected,
    queued: () => (connected ? streamQueues(set, entry.ino) : undefined),
    waiting: () => (connected ? received(set, entry.ino) : []),
  };
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function netlinkSocket(entry: NetlinkSkEntry): Socket {
  return bare(
    "NETLINK",
    "",
    entry.state === undefined ? "" : enumName(SK_STATE, entry.state),
    entry.ino,
    `port ${entry.portid}`,
    entry,
  );
}

function packetSocket(entry: PacketSockEntry): Socket {
  return bare("PACKET", enumName(SK_TYPE, entry.type), "", 0, `ifindex ${entry.ifindex}`, entry);
}

function bare(
  family: string,
  type: string,
  state: string,
  inode: number,
  local: string,
  entry: object,
): Socket {
  return {
    family,
    type,
    protocol: "",
    state,
    inode,
    local,
    remote: "",
    localPort: undefined,
    remotePort: undefined,
    backlog: undefined,
    peerInode: undefined,
    peer: undefined,
    connected: false,
    queued: () => undefined,
    waiting: () => [],
    ...optionsOf(entry),
  };
}

type Options = Pick<Socket, "shutdown" | "sendBuffer" | "receiveBuffer" | "options">;

function optionsOf(entry: object): Options {
  const record = entry as Readonly<Record<string, unknown>>;
  const options = record.opts as SkOptsEntry | undefined;
  return {
    shutdown: (record.shutdown as number | undefined) ?? 0,
    sendBuffer: options?.so_sndbuf,
    receiveBuffer: options?.so_rcvbuf,
    options: optionNames(options, record),
  };
}

/** Options that are switched on by a field of sk_opts_entry. */
const SWITCHES: readonly (readonly [name: string, field: keyof SkOptsEntry])[] = [
  ["SO_REUSEADDR", "reuseaddr"],
  ["SO_REUSEPORT", "so_reuseport"],
  ["SO_KEEPALIVE", "so_keepalive"],
  ["SO_BROADCAST", "so_broadcast"],
  ["SO_PASSCRED", "so_passcred"],
  ["SO_PASSSEC", "so_passsec"],
  ["SO_DONTROUTE", "so_dontroute"],
  ["SO_OOBINLINE", "so_oobinline"],
];

interface ProtocolOptions {
  readonly v6only?: boolean;
  readonly ip_opts?: { readonly freebind?: boolean };
  readonly tcp_opts?: { readonly nodelay?: boolean; readonly cork?: boolean };
}

/** Options that are switched on, by their names in socket(7), ip(7) and tcp(7). */
function optionNames(options: SkOptsEntry | undefined, record: ProtocolOptions): string[] {
  const names: string[] = [];
  if (options !== undefined) for (const [name, field] of SWITCHES) if (options[field]) names.push(name);
  if (record.v6only) names.push("IPV6_V6ONLY");
  if (record.ip_opts?.freebind) names.push("IP_FREEBIND");
  if (record.tcp_opts?.nodelay) names.push("TCP_NODELAY");
  if (record.tcp_opts?.cork) names.push("TCP_CORK");
  if (options?.so_bound_dev !== undefined) names.push(`SO_BINDTODEVICE ${options.so_bound_dev}`);
  if ((options?.so_filter.length ?? 0) > 0) names.push("SO_ATTACH_FILTER");
  return names;
}
