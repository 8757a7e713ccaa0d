import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import type { NetlinkSkEntry } from "../../../formats/criu/tables/sk-netlink.js";
import type { PacketSockEntry } from "../../../formats/criu/tables/sk-packet.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { StreamWriter } from "../../../formats/linux-cr/stream-writer.js";
import type { SourceRange } from "../../../io/concat.js";
import { wordBytes } from "../../../io/words.js";
import { SOCK_BUF_LOCK_MASK } from "../../../linux/sockets.js";
import { encodeExtra } from "../../../model/linux-cr/socket-options.js";
import { encodeAddress, encodeSocket, encodeUnix, MAX_BACKLOG } from "../../../model/linux-cr/sockets.js";
import type { OpenFile } from "../../../model/open-file.js";
import {
  closedSocket,
  isConnection,
  isPath,
  type Packet,
  type Socket,
  sizeOf,
  type TcpConnection,
} from "../../../model/socket.js";
import type { Context } from "./context.js";
import { whyNotFile } from "./inexpressible.js";

const SLASH = 0x2f;
/** Peers stand inside one another; a reader need not follow deeper than this. */
const MAX_PEERS = 32;
/** Bytes of a SOCKET_BUFFER at most: a reader holds a record in memory. */
const MAX_PACKET_BYTES = 1024 * 1024;

/** Writes an open file by its id at its first use and gives its number, 0 for one that is lost; `user` has it. */
export type WriteFile = (context: Context, fileId: number, user: string) => number;

/** SOCK object of an open socket, which stands before its FILE record, except when it came as the peer of another one. */
export function writeSocketOf(context: Context, file: OpenFile, writeFile: WriteFile): number {
  return file.type === "UNIXSK" ? writeUnix(context, file, writeFile) : writeOther(context, file);
}

/** SOCK object of a unix socket. Its peer, when it is new, stands between SOCKET and SOCKET_UNIX; `depth` of them so far. */
function writeUnix(context: Context, file: OpenFile, writeFile: WriteFile, depth = 0): number {
  return context.ref("SOCK", `unix ${file.record.ino}`, (objref) => {
    const { writer } = context;
    const socket = file.socket as Socket;
    const { unix } = socket;
    tellOptions(context, file, socket);
    writer.record(RECORDS.SOCKET, encodeSocket(socket));
    const peer = socket.peerInode ? peerOf(context, file, socket, depth) : undefined;
    const sender = peer === undefined ? 0 : writeUnix(context, peer, writeFile, depth + 1);
    const peerName = (peer?.record as UnixSkEntry | undefined)?.name;
    const others = { objref, peer: sender, peerName, credentials: context.cred };
    writer.record(RECORDS.SOCKET_UNIX, encodeUnix(socket, others));
    if (unix !== undefined && isPath(unix) && unix.name[0] !== SLASH)
      writer.text(RECORDS.STRING, unix.directory ?? "");
    writer.record(RECORDS.SOCKET_EXTRA, encodeExtra(socket));
    if (socket.state !== "LISTEN")
      context.deferred.push(() => writePackets(context, file, { objref, sender }, writeFile));
  });
}

function peerOf(context: Context, file: OpenFile, socket: Socket, depth: number): OpenFile | undefined {
  const { peer, peerInode } = socket;
  const isTooDeep = depth >= MAX_PEERS && context.known("SOCK", `unix ${peerInode}`) === undefined;
  const why =
    peer === undefined
      ? "the set does not have it"
      : isTooDeep
        ? `more than ${MAX_PEERS} sockets are connected one behind the other`
        : whyNotFile(peer);
  if (why === undefined) return peer;
  context.losses.add(labelOf(file), `its other end, socket ${peerInode}`, why);
  return undefined;
}

/** What was received and not read, then an empty queue: of a unix socket nothing waits to be sent. */
function writePackets(
  context: Context,
  file: OpenFile,
  { objref, sender }: { readonly objref: number; readonly sender: number },
  writeFile: WriteFile,
): void {
  const { writer } = context;
  context.files.used.queues.add(file.id);
  const packets = [...(file.socket as Socket).received()];
  const total = packets.reduce((sum, { data }) => sum + sizeOf(data), 0);
  writer.record(RECORDS.SOCKET_QUEUE, { skb_count: packets.length, total_bytes: total });
  for (const packet of packets) {
    const rights = rightsOf(context, file, packet, writeFile);
    const size = sizeOf(packet.data);
    writer.record(RECORDS.SOCKET_BUFFER, {
      lin_len: size,
      skb_len: size,
      sk_objref: sender,
      pr_objref: objref,
    });
    writer.buffer(...packet.data);
    if (rights.length > 0) writer.record(RECORDS.PACKET_RIGHTS, {}, wordBytes("u32", rights, "file number"));
  }
  writer.record(RECORDS.SOCKET_QUEUE);
}

/** FILEs of the descriptors that travel with a packet: those that are new are written here, before it. */
function rightsOf(
  context: Context,
  file: OpenFile,
  { files, control }: Packet,
  writeFile: WriteFile,
): number[] {
  for (const type of control)
    context.losses.add(
      labelOf(file),
      `control data of type ${type} in its queue`,
      "a stream holds descriptors alone",
    );
  return files
    .map((id) => writeFile(context, id, `in flight to open file ${file.id}`))
    .filter((objref) => objref !== 0);
}

/** SOCK object of any other socket. A connection that the set does not hold comes back as a closed, unbound socket. */
function writeOther(context: Context, file: OpenFile): number {
  const key = file.type === "INETSK" ? "inet" : file.type;
  return context.ref("SOCK", `${key} ${file.id}`, (objref) => {
    const stored = file.socket as Socket;
    const connection = stored.connection();
    const isLost = isConnection(stored) && connection === undefined;
    if (isLost)
      context.losses.add(
        labelOf(file),
        "its connection; it comes back as a closed socket",
        "the set was dumped to close its connections and holds nothing of them",
      );
    const socket = isLost ? closedSocket(stored) : stored;
    tellOptions(context, file, socket);
    writeSocketRecords(context.writer, socket, connection);
    if (socket.state !== "LISTEN" || isLost)
      context.deferred.push(() => {
        writeByteQueue(context.writer, objref, connection?.received ?? []);
        writeByteQueue(context.writer, objref, connection?.unsent ?? []);
      });
  });
}

/** The records of a socket that is no unix socket; its queues stand elsewhere. */
export function writeSocketRecords(
  writer: StreamWriter,
  socket: Socket,
  connection?: TcpConnection | undefined,
): void {
  writer.record(RECORDS.SOCKET, encodeSocket(socket));
  for (const [kind, fields] of encodeAddress(socket, connection)) writer.record(kind, fields);
}

/** SOCKET_QUEUE with the bytes of one direction, in buffers that a reader can hold in memory. */
export function writeByteQueue(writer: StreamWriter, objref: number, data: readonly SourceRange[]): void {
  const buffers = data.flatMap((range) => [...split(range)]);
  writer.record(RECORDS.SOCKET_QUEUE, { skb_count: buffers.length, total_bytes: sizeOf(data) });
  for (const buffer of buffers) {
    const { size } = buffer;
    writer.record(RECORDS.SOCKET_BUFFER, { lin_len: size, skb_len: size, pr_objref: objref });
    writer.buffer(buffer);
  }
}

function* split({ source, offset, size }: SourceRange): Generator<SourceRange> {
  for (let at = 0; at < size; at += MAX_PACKET_BYTES)
    yield { source, offset: offset + at, size: Math.min(MAX_PACKET_BYTES, size - at) };
}

/** What a stream has no place for. */
function tellOptions({ losses }: Context, file: OpenFile, socket: Socket): void {
  const { device, filter, lockedBuffers = 0 } = socket.options;
  const { ifname, ip_opts: ip } = file.record as Partial<InetSkEntry>;
  const { groups = [] } = file.record as Partial<NetlinkSkEntry>;
  const { mclist = [] } = file.record as Partial<PacketSockEntry>;
  const { hdrincl, nodefrag, checksum } = ip?.raw ?? {};
  const lost: readonly (readonly [what: string, why: string, isLost: boolean])[] = [
    [
      `its backlog of ${socket.backlog}`,
      `a stream holds ${MAX_BACKLOG} at most`,
      socket.state === "LISTEN" && socket.backlog > MAX_BACKLOG,
    ],
    [
      `that it is bound to the interface ${device}`,
      "a stream names interfaces by numbers, which the set does not have",
      device !== undefined,
    ],
    ["its packet filter", "a stream has no place for filters of sockets", filter.length > 0],
    [
      `its buffer locks 0x${lockedBuffers.toString(16)}`,
      "the kernel has those of sending and receiving alone",
      (lockedBuffers & ~SOCK_BUF_LOCK_MASK) !== 0,
    ],
    [`the interface ${ifname} of its address`, NO_OPTION, (ifname ?? "") !== ""],
    [`its type of service ${ip?.tos}`, NO_OPTION, (ip?.tos ?? 0) !== 0],
    ["its options for raw packets", NO_OPTION, hdrincl === true || nodefrag === true || checksum === true],
    ["its multicast groups above 32", "a stream holds one word of them", groups.length > 1],
    ["its multicast memberships", "a stream has no place for them", mclist.length > 0],
  ];
  for (const [what, why, isLost] of lost) if (isLost) losses.add(labelOf(file), what, why);
}

const NO_OPTION = "a stream has no place for this option";

function labelOf(file: OpenFile): string {
  return `open file ${file.id} (${file.label})`;
}
