import { SK_FAMILY, SK_PROTO, SK_STATE, SK_TYPE } from "../../formats/criu/names.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordKind, RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { enumName, enumNumber } from "../../io/enums.js";
import { wordBytes } from "../../io/words.js";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_TCP,
  NETLINK_PROTOCOLS,
  SOCK_BUF_LOCK_MASK,
  SOCK_RAW,
  SOCKADDR_UN_BYTES,
  SS_CONNECTED,
  SS_UNCONNECTED,
  SUN_PATH,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../linux/sockets.js";
import type { OpenFile } from "../open-file.js";
import {
  endText,
  type InetEnd,
  type InetEnds,
  isConnected,
  type NetlinkAddress,
  type Packet,
  type PacketOptions,
  type Socket,
  type SocketOptions,
  type SocketQueue,
  type TcpConnection,
  type UnixName,
  unixText,
} from "../socket.js";
import type { StreamReader } from "./reader.js";
import {
  bitsOf,
  decodeOptions,
  encodeExtra,
  LINGER_BIT,
  PERMISSIONS,
  SOCK_BITS,
  SOCKET_BITS,
  TICKS,
} from "./socket-options.js";
import {
  decodeConnection,
  decodePacket,
  encodeTcp,
  encodeTcpExtra,
  queued,
  queuesOf,
} from "./socket-queues.js";

type Fields = Readonly<Record<string, unknown>>;

/** SOCKET_UNIX.flags: the name is still in the file system. */
const LINKED = 1;
/** SOCKET_NETLINK.flags */
const HAS_GROUPS = 1;
/** SOCKET_PACKET.flags */
const PACKET = { auxData: 1, originalDevice: 2, vnetHeader: 4, loss: 8, fanout: 16 } as const;
/** SOCKET_INET.cmsg_flags: a program gets the destination of each packet. */
const CMSG_PKTINFO = 1;
/** SOCKET_INET.tcp.nonagle */
const NAGLE_OFF = 1;
const NAGLE_CORK = 2;
const INET_ADDRESS_BYTES = 16;
/** SOCKET.sock.backlog is a signed word of 16 bits. */
export const MAX_BACKLOG = 32767;
/** A SOCK object as a socket. `fileOf` finds the open file of another one, for the peer. */
export function decodeSocket(
  reader: StreamReader,
  part: Part,
  fileOf: (sockRef: number) => OpenFile | undefined = () => undefined,
): Socket {
  return new StreamSocket(reader, part, fileOf);
}

/** What stands behind SOCKET: by the family, but for netlink and packet sockets by the record. */
type Form = "unix" | "netlink" | "packet" | "inet";

type Names = Pick<Socket, "local" | "remote" | "localPort" | "remotePort">;

/** A class: a stream holds 60,000 of them. What many rules ask for is read once, all else when it is looked at. */
class StreamSocket implements Socket {
  readonly family: string;
  readonly type: string;
  readonly protocol: string;
  readonly state: string;
  readonly backlog: number;
  readonly shutdown: number | undefined;
  private readonly reader: StreamReader;
  private readonly part: Part;
  private readonly fileOf: (sockRef: number) => OpenFile | undefined;
  private readonly form: Form;
  private readonly numbers: { readonly protocol: number; readonly state: number };
  /** Object of the other end of a unix socket; 0 for none. */
  private readonly peerRef: number;
  private knownInode: number | undefined;
  private knownNames: Names | undefined;

  constructor(reader: StreamReader, part: Part, fileOf: (sockRef: number) => OpenFile | undefined) {
    const { sock_common: common, sock } = reader.get(part, RECORDS.SOCKET).value;
    this.reader = reader;
    this.part = part;
    this.fileOf = fileOf;
    this.form = formOf(reader, part, common.family);
    this.numbers = { protocol: sock.protocol, state: sock.state };
    this.peerRef = this.form === "unix" ? reader.get(part, RECORDS.SOCKET_UNIX).value.peer : 0;
    this.family = enumName(SK_FAMILY, common.family);
    this.type = this.form === "netlink" ? "" : enumName(SK_TYPE, sock.type);
    this.protocol = protocolName(this.form, sock.protocol);
    this.state = this.form === "packet" ? "" : enumName(SK_STATE, sock.state);
    this.backlog = Math.max(0, sock.backlog);
    this.shutdown = sock.shutdown;
  }

  get inode(): number {
    this.knownInode ??= inodeOf(this.reader, this.part);
    return this.knownInode;
  }

  get local(): string {
    return this.named().local;
  }

  get remote(): string {
    return this.named().remote;
  }

  get localPort(): number | undefined {
    return this.named().localPort;
  }

  get remotePort(): number | undefined {
    return this.named().remotePort;
  }

  get peerInode(): number | undefined {
    if (this.form !== "unix") return undefined;
    const other = this.other();
    return other === undefined ? this.peerRef : inodeOf(this.reader, other);
  }

  get peer(): OpenFile | undefined {
    return this.peerRef === 0 ? undefined : this.fileOf(this.peerRef);
  }

  get connected(): boolean {
    const { protocol, state } = this.numbers;
    return this.form === "inet" && isConnected(protocol, state, this.remotePort ?? 0);
  }

  get options(): SocketOptions {
    return decodeOptions(this.reader, this.part);
  }

  get unix(): UnixName | undefined {
    return this.form === "unix" ? decodeUnix(this.reader, this.part) : undefined;
  }

  get inet(): InetEnds | undefined {
    return this.form === "inet" ? decodeEnds(this.reader, this.part) : undefined;
  }

  get netlink(): NetlinkAddress | undefined {
    if (this.form !== "netlink") return undefined;
    const { value } = this.reader.get(this.part, RECORDS.SOCKET_NETLINK);
    return {
      portid: value.portid,
      groups: (value.flags & HAS_GROUPS) === 0 ? undefined : value.groups,
      peerPortid: value.dst_portid,
      peerGroup: value.dst_group,
    };
  }

  get packet(): PacketOptions | undefined {
    if (this.form !== "packet") return undefined;
    return decodePacketOptions(this.reader.get(this.part, RECORDS.SOCKET_PACKET).value);
  }

  get queued(): SocketQueue | undefined {
    const hasQueues = this.form === "inet" || this.form === "unix";
    return hasQueues ? queued(this.reader, this.part, this.isTcp) : undefined;
  }

  *received(): Generator<Packet> {
    for (const each of queuesOf(this.part)[0]) yield decodePacket(this.reader, each);
  }

  connection(): TcpConnection | undefined {
    return this.isTcp ? decodeConnection(this.reader, this.part) : undefined;
  }

  private get isTcp(): boolean {
    return this.form === "inet" && this.numbers.protocol === IPPROTO_TCP;
  }

  private other(): Part | undefined {
    return this.peerRef === 0 ? undefined : this.reader.object(this.peerRef, "SOCK");
  }

  private named(): Names {
    this.knownNames ??= this.makeNames();
    return this.knownNames;
  }

  private makeNames(): Names {
    const reader = this.reader;
    switch (this.form) {
      case "inet":
        return namesOfEnds(decodeEnds(reader, this.part));
      case "unix": {
        const other = this.other();
        const remote = other === undefined ? "" : unixText(decodeUnix(reader, other));
        return { ...UNNAMED, local: unixText(decodeUnix(reader, this.part)), remote };
      }
      case "netlink":
        return { ...UNNAMED, local: `port ${reader.get(this.part, RECORDS.SOCKET_NETLINK).value.portid}` };
      case "packet":
        return {
          ...UNNAMED,
          local: `ifindex ${reader.get(this.part, RECORDS.SOCKET_PACKET).value.ifindex}`,
        };
    }
  }
}

function formOf(reader: StreamReader, part: Part, family: number): Form {
  if (family === AF_UNIX) return "unix";
  if (reader.index(part, RECORDS.SOCKET_NETLINK) !== undefined) return "netlink";
  return reader.index(part, RECORDS.SOCKET_PACKET) === undefined ? "inet" : "packet";
}

function protocolName(form: Form, protocol: number): string {
  if (form === "netlink") return enumName(NETLINK_PROTOCOLS, protocol);
  return form === "inet" ? enumName(SK_PROTO, protocol) : "";
}

const UNNAMED: Names = { local: "", remote: "", localPort: undefined, remotePort: undefined };

function namesOfEnds({ local, remote }: InetEnds): Names {
  return {
    local: endText(local),
    remote: remote.port === 0 ? "" : endText(remote),
    localPort: local.port,
    remotePort: remote.port === 0 ? undefined : remote.port,
  };
}

/** The number of a socket as the tasks know it, else that of its object. */
function inodeOf(reader: StreamReader, part: Part): number {
  return Number(reader.find(part, RECORDS.SOCKET_EXTRA)?.value.inode ?? part.objref ?? 0);
}

/** SOCKET of a socket; what stands behind it depends on the family. */
export function encodeSocket(socket: Socket): Fields {
  const { family, type, options, state } = socket;
  const { switches, linger } = options;
  const number = state === "" ? TCP_CLOSE : enumNumber(SK_STATE, state);
  const isListening = number === TCP_LISTEN;
  return {
    has_buffers: isListening ? 0 : 1,
    socket: {
      flags: bitsOf(SOCKET_BITS, switches),
      state: number === TCP_ESTABLISHED ? SS_CONNECTED : SS_UNCONNECTED,
    },
    sock_common: {
      reuse: switches.SO_REUSEADDR === true ? 1 : 0,
      family: enumNumber(SK_FAMILY, family),
      state: number,
    },
    sock: {
      rcvlowat: BigInt(options.receiveLowat ?? 1),
      flags: bitsOf(SOCK_BITS, switches) | (linger === undefined ? 0n : LINGER_BIT),
      rcvtimeo: options.receiveTimeout,
      sndtimeo: options.sendTimeout,
      priority: options.priority ?? 0,
      // The kernel doubles what setsockopt(2) is given.
      rcvbuf: Math.ceil(options.receiveBuffer / 2),
      sndbuf: Math.ceil(options.sendBuffer / 2),
      type: type === "" ? SOCK_RAW : enumNumber(SK_TYPE, type),
      backlog: Math.min(socket.backlog, MAX_BACKLOG),
      protocol: protocolOf(socket),
      state: number,
      shutdown: socket.shutdown ?? 0,
      userlocks: (options.lockedBuffers ?? 0) & SOCK_BUF_LOCK_MASK,
      no_check: switches.SO_NO_CHECK === true ? 1 : 0,
      linger: { onoff: linger === undefined ? 0 : 1, seconds: linger ?? 0 },
    },
  };
}

function protocolOf({ family, protocol }: Socket): number {
  return protocol === "" ? 0 : enumNumber(family === "NETLINK" ? NETLINK_PROTOCOLS : SK_PROTO, protocol);
}

/** Everything behind SOCKET but for unix sockets, whose peers stand between. */
export function* encodeAddress(
  socket: Socket,
  connection: TcpConnection | undefined,
): Generator<readonly [RecordKind, Fields]> {
  const { netlink, packet } = socket;
  if (netlink !== undefined)
    yield [
      RECORDS.SOCKET_NETLINK,
      {
        portid: netlink.portid,
        groups: netlink.groups ?? 0,
        dst_portid: netlink.peerPortid,
        dst_group: netlink.peerGroup,
        flags: netlink.groups === undefined ? 0 : HAS_GROUPS,
      },
    ];
  else if (packet !== undefined) yield [RECORDS.SOCKET_PACKET, encodePacketOptions(packet)];
  else yield [RECORDS.SOCKET_INET, encodeInet(socket, connection)];
  yield [RECORDS.SOCKET_EXTRA, encodeExtra(socket)];
  if (connection !== undefined) yield [RECORDS.TCP_EXTRA, encodeTcpExtra(connection)];
}

function decodePacketOptions(value: RecordValue<typeof RECORDS.SOCKET_PACKET>): PacketOptions {
  const has = (flag: number): boolean => (value.flags & flag) !== 0;
  return {
    protocol: value.protocol,
    interfaceIndex: value.ifindex,
    version: value.version,
    reserve: value.reserve,
    timestamp: value.timestamp,
    copyThreshold: value.copy_thresh,
    fanout: has(PACKET.fanout) ? value.fanout : undefined,
    auxData: has(PACKET.auxData),
    originalDevice: has(PACKET.originalDevice),
    vnetHeader: has(PACKET.vnetHeader),
    loss: has(PACKET.loss),
  };
}

function encodePacketOptions(packet: PacketOptions): Fields {
  const flag = (isOn: boolean, bit: number): number => (isOn ? bit : 0);
  return {
    protocol: packet.protocol,
    ifindex: packet.interfaceIndex,
    version: packet.version,
    reserve: packet.reserve,
    timestamp: packet.timestamp,
    copy_thresh: packet.copyThreshold,
    fanout: packet.fanout ?? 0,
    flags:
      flag(packet.auxData, PACKET.auxData) |
      flag(packet.originalDevice, PACKET.originalDevice) |
      flag(packet.vnetHeader, PACKET.vnetHeader) |
      flag(packet.loss, PACKET.loss) |
      flag(packet.fanout !== undefined, PACKET.fanout),
  };
}

function decodeUnix(reader: StreamReader, part: Part): UnixName {
  const { index, value } = reader.get(part, RECORDS.SOCKET_UNIX);
  const { laddr, laddr_len: length, raddr, raddr_len: peerLength, flags } = value;
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  const hasPermissions = extra !== undefined && (extra.flags & PERMISSIONS) !== 0;
  const directory = reader.text(part, RECORDS.STRING);
  return {
    name: nameIn(laddr, length),
    length: Math.max(0, length - SUN_PATH),
    directory: directory === undefined ? undefined : withoutSlash(directory),
    isLinked: (flags & LINKED) !== 0,
    permissions: hasPermissions ? { mode: extra.mode, uid: extra.uid, gid: extra.gid } : undefined,
    peerName: peerLength === 0 ? undefined : nameIn(raddr, peerLength),
    external: undefined,
    origin: reader.origin(index),
  };
}

/** The name in a sockaddr_un. */
function nameIn(address: Buffer, length: number): Buffer {
  return address.subarray(SUN_PATH, Math.max(SUN_PATH, Math.min(length, address.length)));
}

function withoutSlash(directory: string): string {
  return directory.length > 1 && directory.endsWith("/") ? directory.slice(0, -1) : directory;
}

/** SOCKET_UNIX; a STRING with the directory must follow when the name is a relative path. */
export function encodeUnix(
  { unix, state }: Socket,
  {
    objref,
    peer,
    peerName,
    credentials,
  }: {
    readonly objref: number;
    /** Its SOCK, 0 for none. */
    readonly peer: number;
    readonly peerName: Buffer | undefined;
    /** CRED of the task. */
    readonly credentials: number;
  },
): Fields {
  return {
    this: objref,
    peer,
    peercred: state === "ESTABLISHED" ? credentials : 0,
    flags: unix?.isLinked === true ? LINKED : 0,
    ...encodeNames({ name: unix?.name ?? Buffer.alloc(0), peerName }),
  };
}

/** The fields of SOCKET_UNIX with its own name and that of the other end. */
export function encodeNames({ name, peerName }: Pick<UnixName, "name" | "peerName">): Fields {
  return {
    laddr_len: SUN_PATH + name.length,
    raddr_len: peerName === undefined ? 0 : SUN_PATH + peerName.length,
    laddr: sockaddrUn(name),
    raddr: peerName === undefined ? Buffer.alloc(SOCKADDR_UN_BYTES) : sockaddrUn(peerName),
  };
}

function sockaddrUn(name: Buffer): Buffer {
  const address = Buffer.alloc(SOCKADDR_UN_BYTES);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, SUN_PATH);
  return address;
}

/** Both ends of an internet socket. Where no address is stored, the kernel's own fields say it. */
export function decodeEnds(reader: StreamReader, part: Part): InetEnds {
  const { family } = reader.get(part, RECORDS.SOCKET).value.sock_common;
  const { index, value } = reader.get(part, RECORDS.SOCKET_INET);
  const { laddr, raddr, laddr_len: bound, raddr_len: connected, inet6, num, dport } = value;
  const isV6 = family === AF_INET6;
  const isBig = reader.image.byteOrder === "big-endian";
  const none = Buffer.alloc(INET_ADDRESS_BYTES);
  const v6 = (address: Buffer | undefined): number[] => wordsOf(address ?? none);
  const v4 = (length: number, address: Buffer, word: number | undefined): number[] =>
    length === 0 ? [inOrder(word ?? 0, isBig)] : wordsOf(address.subarray(4, 8));
  return {
    local: {
      address: isV6 ? v6(inet6?.rcv_saddr) : v4(bound, laddr, value.rcv_saddr),
      port: bound === 0 ? (num ?? 0) : laddr.readUInt16BE(2),
    },
    remote: {
      address: isV6 ? v6(inet6?.daddr) : v4(connected, raddr, value.daddr),
      port: connected === 0 ? portWord(dport ?? 0, isBig) : raddr.readUInt16BE(2),
    },
    origin: reader.origin(index),
  };
}

function wordsOf(address: Buffer): number[] {
  return Array.from({ length: address.length / 4 }, (_, i) => address.readUInt32LE(i * 4));
}

/** A port in network byte order, in a field that is written in that of the image. */
function portWord(port: number, isBigEndian: boolean): number {
  return isBigEndian ? port : ((port & 0xff) << 8) | (port >>> 8);
}

/** A word in the order of memory, in a field that is written in the byte order of the image. */
function inOrder(word: number, isBigEndian: boolean): number {
  return isBigEndian ? wordBytes("u32", [word], "word of an address").readUInt32BE() : word;
}

/** SOCKET_INET */
function encodeInet(socket: Socket, connection: TcpConnection | undefined): Fields {
  const { switches, ttl, keepIdle = 0, keepInterval = 0, keepCount = 0 } = socket.options;
  const hasKeepTimes = keepIdle !== 0 || keepInterval !== 0 || keepCount !== 0;
  const nonagle =
    (switches.TCP_NODELAY === true ? NAGLE_OFF : 0) | (switches.TCP_CORK === true ? NAGLE_CORK : 0);
  const kept = hasKeepTimes
    ? {
        keepalive_time: keepIdle * TICKS,
        keepalive_intvl: keepInterval * TICKS,
        keepalive_probes: keepCount,
      }
    : {};
  return {
    ...encodeEnds(socket.inet, socket.family === "INET6"),
    uc_ttl: ttl ?? -1,
    cmsg_flags: switches.IP_PKTINFO === true ? CMSG_PKTINFO : 0,
    tcp: { ...kept, nonagle, ...(connection === undefined ? {} : encodeTcp(connection)) },
  };
}

/** The fields of SOCKET_INET that hold its ends, all that say the same. */
export function encodeEnds(
  ends: Pick<InetEnds, "local" | "remote"> | undefined,
  isV6: boolean,
  isBigEndian = false,
): Fields {
  const none: InetEnd = { address: [], port: 0 };
  const { local, remote } = ends ?? { local: none, remote: none };
  const v4 = ({ address }: InetEnd): number => (isV6 ? 0 : inOrder(address[0] ?? 0, isBigEndian));
  const isRemote = remote.port !== 0;
  return {
    daddr: v4(remote),
    rcv_saddr: v4(local),
    saddr: v4(local),
    dport: portWord(remote.port, isBigEndian),
    num: local.port,
    sport: portWord(local.port, isBigEndian),
    inet6: isV6 ? { saddr: v6(local), rcv_saddr: v6(local), daddr: v6(remote) } : {},
    laddr_len: INET_ADDRESS_BYTES,
    raddr_len: isRemote ? INET_ADDRESS_BYTES : 0,
    laddr: sockaddrIn(local, isV6, isBigEndian),
    raddr: isRemote ? sockaddrIn(remote, isV6, isBigEndian) : Buffer.alloc(INET_ADDRESS_BYTES),
  };
}

function v6({ address }: InetEnd): Buffer {
  const four = Array.from({ length: 4 }, (_, i) => address[i] ?? 0);
  return wordBytes("u32", four, "word of an IPv6 address");
}

/** sockaddr_in; of an IPv6 address it has the family and port, the address stands in inet6. */
function sockaddrIn({ port, address }: InetEnd, isV6: boolean, isBigEndian: boolean): Buffer {
  const fields = [
    wordBytes(isBigEndian ? "be16" : "u16", [isV6 ? AF_INET6 : AF_INET], "address family"),
    wordBytes("be16", [port], "port"),
    wordBytes("u32", isV6 ? [] : [address[0] ?? 0], "IPv4 address"),
  ];
  return Buffer.concat(fields, INET_ADDRESS_BYTES);
}
