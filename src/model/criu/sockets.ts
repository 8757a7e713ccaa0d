import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { SK_FAMILY, SK_PROTO, SK_STATE, SK_TYPE } from "../../formats/criu/names.js";
import type { InetSkEntry, TcpOptsEntry } from "../../formats/criu/tables/sk-inet.js";
import type { NetlinkSkEntry } from "../../formats/criu/tables/sk-netlink.js";
import type { PacketSockEntry } from "../../formats/criu/tables/sk-packet.js";
import type { UnixSkEntry } from "../../formats/criu/tables/sk-unix.js";
import { enumName, enumNumber } from "../../io/enums.js";
import { NETLINK_PROTOCOLS } from "../../linux/sockets.js";
import type { FileTable, OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";
import {
  endText,
  type InetEnds,
  isConnected,
  isConnection,
  isPath,
  type Packet,
  pathBytes,
  type Socket,
  type SocketOptions,
  type SocketQueue,
  sizeOf,
  type TcpConnection,
  type UnixName,
  unixText,
} from "../socket.js";
import { decodeOptions, encodeInetOptions, encodeOptions, encodeShutdown } from "./socket-options.js";
import { connectionOf, packetsOf } from "./socket-queues.js";

/** unix_sk_entry.uflags: USK_EXTERN; the others are handed over at the restore as well. */
const PEER_IS_EXTERNAL = 1;

/** The socket side of an open file; undefined for files that are no sockets. */
export function socketOf(file: OpenFile, files: FileTable, set: CriuImageSet): Socket | undefined {
  switch (file.type) {
    case "UNIXSK":
      return decodeUnix(file.record as UnixSkEntry, new UnixFilePlace(file, files, set));
    case "INETSK":
      return decodeInet(file.record as InetSkEntry, new InetFilePlace(file, set));
    case "NETLINKSK":
      return decodeNetlink(file.record as NetlinkSkEntry);
    case "PACKETSK":
      return decodePacketSocket(file.record as PacketSockEntry);
    default:
      return undefined;
  }
}

/** What most families do without. */
const BARE = {
  ...{ protocol: "", state: "", inode: 0, remote: "", localPort: undefined, remotePort: undefined },
  ...{ backlog: 0, peerInode: undefined, peer: undefined, connected: false, shutdown: undefined },
  ...{ unix: undefined, inet: undefined, netlink: undefined, packet: undefined, queued: undefined },
  received: (): readonly Packet[] => [],
  connection: (): undefined => undefined,
} as const;

/** The place of an open file, looked up when it is asked for: 60,000 sockets are decoded many times. */
class UnixFilePlace implements UnixPlace {
  constructor(
    private readonly file: OpenFile,
    private readonly files: FileTable,
    private readonly set: CriuImageSet,
  ) {}

  get origin(): Origin {
    return this.file.origin;
  }

  get peer(): OpenFile | undefined {
    const { peer } = this.file.record as UnixSkEntry;
    return peer === 0 ? undefined : peers(this.files).get(peer);
  }

  packets(): readonly Packet[] {
    return packetsOf(this.set, this.file.id);
  }
}

/** The same for internet sockets. */
class InetFilePlace implements InetPlace {
  constructor(
    private readonly file: OpenFile,
    private readonly set: CriuImageSet,
  ) {}

  get origin(): Origin {
    return this.file.origin;
  }

  get isBigEndian(): boolean {
    return this.set.imageNamed(this.origin.image)?.header?.byteOrder === "big-endian";
  }

  connection(): TcpConnection | undefined {
    return connectionOf(this.set, (this.file.record as InetSkEntry).ino);
  }

  oldOptions(): TcpOptsEntry | undefined {
    return this.set.first(IMAGES.TCP_STREAM, (this.file.record as InetSkEntry).ino);
  }
}

/** Where an entry stands, and what stands beside it. */
export interface UnixPlace {
  readonly origin: Origin;
  readonly peer?: OpenFile | undefined;
  readonly packets?: () => readonly Packet[];
}

export function decodeUnix(entry: UnixSkEntry, place: UnixPlace): Socket {
  return new UnixSocket(entry, place);
}

/** A class: a set holds 60,000 of them, and each of many rules looks at all. */
class UnixSocket implements Socket {
  readonly family = "UNIX";
  readonly protocol = "";
  readonly localPort = undefined;
  readonly remotePort = undefined;
  readonly connected = false;
  readonly inet = undefined;
  readonly netlink = undefined;
  readonly packet = undefined;

  constructor(
    private readonly entry: UnixSkEntry,
    private readonly place: UnixPlace,
  ) {}

  get type(): string {
    return enumName(SK_TYPE, this.entry.type);
  }

  get state(): string {
    return enumName(SK_STATE, this.entry.state);
  }

  get inode(): number {
    return this.entry.ino;
  }

  get local(): string {
    return unixText({ name: this.entry.name, directory: this.entry.name_dir });
  }

  get remote(): string {
    const other = this.peer?.record as UnixSkEntry | undefined;
    return other === undefined ? "" : unixText({ name: other.name, directory: other.name_dir });
  }

  get backlog(): number {
    return this.entry.backlog;
  }

  get peerInode(): number {
    return this.entry.peer;
  }

  get peer(): OpenFile | undefined {
    return this.place.peer;
  }

  get shutdown(): number | undefined {
    return this.entry.shutdown;
  }

  get options(): SocketOptions {
    return decodeOptions(this.entry.opts);
  }

  get unix(): UnixName {
    const { name, name_dir: directory, uflags, file_perms: permissions } = this.entry;
    return {
      name,
      length: name.length,
      directory,
      isLinked: isPath(this.entry) && this.entry.deleted !== true,
      permissions,
      peerName: undefined,
      external: uflags === 0 ? undefined : (uflags & PEER_IS_EXTERNAL) !== 0 ? "peer" : "socket",
      origin: this.place.origin,
    };
  }

  get queued(): SocketQueue | undefined {
    const all = this.received();
    return all.length === 0
      ? undefined
      : { received: all.reduce((sum, { data }) => sum + sizeOf(data), 0), packets: all.length };
  }

  received(): readonly Packet[] {
    return this.place.packets?.() ?? [];
  }

  connection(): undefined {
    return undefined;
  }
}

/** The entry of a unix socket but for what belongs to its open file, its inode and its peer. */
export function encodeUnix(
  socket: Socket,
): Omit<UnixSkEntry, "id" | "ino" | "peer" | "flags" | "fown" | "ns_id" | "uflags"> {
  const { name = Buffer.alloc(0), directory, permissions, isLinked } = socket.unix ?? {};
  const own = {
    type: enumNumber(SK_TYPE, socket.type),
    state: enumNumber(SK_STATE, socket.state),
    backlog: socket.backlog,
    opts: encodeOptions(socket.options),
    ...encodeShutdown(socket),
  };
  if (!isPath({ name })) return { ...own, name };
  return {
    ...own,
    // criu takes it for a text with a NUL at its end.
    name: Buffer.concat([pathBytes(name), Buffer.alloc(1)]),
    ...(directory === undefined ? {} : { name_dir: directory }),
    ...(permissions === undefined ? {} : { file_perms: permissions }),
    ...(isLinked === true ? {} : { deleted: true }),
  };
}

/** The fields of an entry that hold its name. */
export function encodeName({ name, directory }: UnixName): {
  readonly name: Buffer;
  readonly name_dir: string | undefined;
} {
  return { name, name_dir: directory };
}

export interface InetPlace {
  readonly origin: Origin;
  readonly isBigEndian?: boolean;
  readonly connection?: () => TcpConnection | undefined;
  /** Before criu 4.0 TCP_CORK and TCP_NODELAY stood with the connection. */
  readonly oldOptions?: () => TcpOptsEntry | undefined;
}

export function decodeInet(entry: InetSkEntry, place: InetPlace): Socket {
  return new InetSocket(entry, place);
}

/** A class, as that of unix sockets. */
class InetSocket implements Socket {
  readonly peerInode = undefined;
  readonly peer = undefined;
  readonly unix = undefined;
  readonly netlink = undefined;
  readonly packet = undefined;

  constructor(
    private readonly entry: InetSkEntry,
    private readonly place: InetPlace,
  ) {}

  get family(): string {
    return enumName(SK_FAMILY, this.entry.family);
  }

  get type(): string {
    return enumName(SK_TYPE, this.entry.type);
  }

  get protocol(): string {
    return enumName(SK_PROTO, this.entry.proto);
  }

  get state(): string {
    return enumName(SK_STATE, this.entry.state);
  }

  get inode(): number {
    return this.entry.ino;
  }

  get local(): string {
    return endText(this.inet.local);
  }

  get remote(): string {
    const { remote } = this.inet;
    return remote.port === 0 ? "" : endText(remote);
  }

  get localPort(): number {
    return this.entry.src_port;
  }

  get remotePort(): number | undefined {
    return this.entry.dst_port === 0 ? undefined : this.entry.dst_port;
  }

  get backlog(): number {
    return this.entry.backlog;
  }

  get connected(): boolean {
    const { proto, state, dst_port: remotePort } = this.entry;
    return isConnected(proto, state, remotePort);
  }

  get shutdown(): number | undefined {
    return this.entry.shutdown;
  }

  get inet(): InetEnds {
    return decodeEnds(this.entry, this.place.origin, this.place.isBigEndian ?? false);
  }

  get options(): SocketOptions {
    const { opts, tcp_opts: own } = this.entry;
    return decodeOptions(
      opts,
      this.entry,
      own ?? (isConnection(this) ? this.place.oldOptions?.() : undefined),
    );
  }

  get queued(): SocketQueue | undefined {
    const found = this.connection();
    return found && { received: sizeOf(found.received), unsent: sizeOf(found.unsent) };
  }

  received(): readonly Packet[] {
    const found = this.connection();
    return found === undefined ? [] : [{ data: found.received, files: [], control: [] }];
  }

  connection(): TcpConnection | undefined {
    return isConnection(this) ? this.place.connection?.() : undefined;
  }
}

/** The entry of an internet socket but for its id, its inode, and what belongs to its open file. */
export function encodeInet(socket: Socket): Omit<InetSkEntry, "id" | "ino" | "flags" | "fown" | "ns_id"> {
  const { type, protocol, state, family, options } = socket;
  const none = { address: [], port: 0 };
  return {
    family: enumNumber(SK_FAMILY, family),
    type: enumNumber(SK_TYPE, type),
    proto: enumNumber(SK_PROTO, protocol),
    state: enumNumber(SK_STATE, state),
    backlog: socket.backlog,
    ...encodeEnds(socket.inet ?? { local: none, remote: none }, false),
    opts: encodeOptions(options),
    ...(family === "INET6" ? { v6only: options.switches.IPV6_V6ONLY === true } : {}),
    ...encodeInetOptions(socket),
    ...encodeShutdown(socket),
  };
}

function decodeEnds(entry: InetSkEntry, origin: Origin, isBigEndian: boolean): InetEnds {
  const words = (stored: readonly number[]): readonly number[] =>
    isBigEndian ? stored.map(swapped) : stored;
  return {
    local: { address: words(entry.src_addr), port: entry.src_port },
    remote: { address: words(entry.dst_addr), port: entry.dst_port },
    origin,
  };
}

/** The fields of an entry that hold its ends, as an image of that byte order has them. */
export function encodeEnds(
  { local, remote }: Pick<InetEnds, "local" | "remote">,
  isBigEndian: boolean,
): Pick<InetSkEntry, "src_addr" | "src_port" | "dst_addr" | "dst_port"> {
  const words = (address: readonly number[]): number[] => (isBigEndian ? address.map(swapped) : [...address]);
  return {
    src_addr: words(local.address),
    src_port: local.port,
    dst_addr: words(remote.address),
    dst_port: remote.port,
  };
}

/** A word of an address in the other byte order. */
export function swapped(word: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(word);
  return bytes.readUInt32BE();
}

export function decodeNetlink(entry: NetlinkSkEntry): Socket {
  return {
    ...BARE,
    family: "NETLINK",
    type: "",
    protocol: enumName(NETLINK_PROTOCOLS, entry.protocol),
    state: entry.state === undefined ? "" : enumName(SK_STATE, entry.state),
    inode: entry.ino,
    local: `port ${entry.portid}`,
    get options() {
      return decodeOptions(entry.opts);
    },
    netlink: {
      portid: entry.portid,
      groups: entry.groups[0],
      peerPortid: entry.dst_portid,
      peerGroup: entry.dst_group,
    },
  };
}

export function encodeNetlink(
  socket: Socket,
): Omit<NetlinkSkEntry, "id" | "ino" | "flags" | "fown" | "ns_id"> {
  const { portid = 0, groups, peerPortid = 0, peerGroup = 0 } = socket.netlink ?? {};
  return {
    protocol: enumNumber(NETLINK_PROTOCOLS, socket.protocol),
    state: enumNumber(SK_STATE, socket.state),
    portid,
    groups: groups === undefined ? [] : [groups],
    dst_portid: peerPortid,
    dst_group: peerGroup,
    opts: encodeOptions(socket.options),
  };
}

export function decodePacketSocket(entry: PacketSockEntry): Socket {
  return {
    ...BARE,
    family: "PACKET",
    type: enumName(SK_TYPE, entry.type),
    local: `ifindex ${entry.ifindex}`,
    get options() {
      return decodeOptions(entry.opts);
    },
    packet: {
      protocol: entry.protocol,
      interfaceIndex: entry.ifindex,
      version: entry.version,
      reserve: entry.reserve,
      timestamp: entry.timestamp,
      copyThreshold: entry.copy_thresh,
      fanout: entry.fanout,
      auxData: entry.aux_data,
      originalDevice: entry.orig_dev,
      vnetHeader: entry.vnet_hdr,
      loss: entry.loss,
    },
  };
}

/** Undefined for what is no packet socket. */
export function encodePacketSocket(
  socket: Socket,
): Omit<PacketSockEntry, "id" | "flags" | "fown" | "ns_id"> | undefined {
  const { packet } = socket;
  return (
    packet && {
      type: enumNumber(SK_TYPE, socket.type),
      protocol: packet.protocol,
      ifindex: packet.interfaceIndex,
      version: packet.version,
      reserve: packet.reserve,
      timestamp: packet.timestamp,
      copy_thresh: packet.copyThreshold,
      aux_data: packet.auxData,
      orig_dev: packet.originalDevice,
      vnet_hdr: packet.vnetHeader,
      loss: packet.loss,
      mclist: [],
      ...(packet.fanout === undefined ? {} : { fanout: packet.fanout }),
      opts: encodeOptions(socket.options),
    }
  );
}

const unixByInode = new WeakMap<FileTable, ReadonlyMap<number, OpenFile>>();

/** Unix sockets by their inodes. */
function peers(files: FileTable): ReadonlyMap<number, OpenFile> {
  let byInode = unixByInode.get(files);
  if (byInode === undefined) {
    byInode = new Map(
      files.all.filter(({ type }) => type === "UNIXSK").map((file) => [file.record.ino as number, file]),
    );
    unixByInode.set(files, byInode);
  }
  return byInode;
}
