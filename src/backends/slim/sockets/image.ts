import type { IpOptsEntry, TcpOptsEntry } from "../../../formats/criu/tables/sk-inet.js";
import type { SkOptsEntry } from "../../../formats/criu/tables/sk-opts.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { BackendError } from "../../../io/errors.js";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  IPPROTO_TCP,
  SUN_PATH,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import { encodeInetOptions, encodeOptions } from "../../../model/criu/socket-options.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { decodePacket, queuesOf } from "../../../model/linux-cr/socket-queues.js";
import { decodeSocket } from "../../../model/linux-cr/sockets.js";
import type { InetEnd, Socket } from "../../../model/socket.js";

/** SOCKET_UNIX.flags: the name is still in the file system. */
const LINKED = 1;
/** SOCKET_EXTRA.flags. */
const PERMISSIONS = 1;

interface SocketBase {
  /** Of SOCK. */
  readonly objref: number;
  readonly part: Part;
  readonly type: number;
  readonly protocol: number;
  readonly state: number;
  readonly backlog: number;
  readonly shutdown: number;
  readonly opts: SkOptsEntry;
  /** Index of the interface that it is bound to, 0 for none. */
  readonly ifindex: number;
  /** Flags of open(2) of its FILE; undefined when no descriptor leads to it. */
  readonly flags: number | undefined;
}

export interface ImageUnix extends SocketBase {
  readonly family: typeof AF_UNIX;
  /** sun_path, empty for none. */
  readonly name: Buffer;
  readonly directory: string | undefined;
  readonly isLinked: boolean;
  readonly permissions: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
  /** Its SOCK, 0 for none. */
  readonly peer: number;
}

export interface ImageInet extends SocketBase {
  readonly family: typeof AF_INET | typeof AF_INET6;
  /** struct sockaddr_in or sockaddr_in6; undefined when not bound. */
  readonly local: Buffer | undefined;
  readonly remote: Buffer | undefined;
  readonly v6only: boolean;
  readonly ip: IpOptsEntry;
  readonly tcp: TcpOptsEntry;
}

export interface ImageOther extends SocketBase {
  readonly family: typeof AF_NETLINK | typeof AF_PACKET;
}

export type ImageSocket = ImageUnix | ImageInet | ImageOther;

/** All sockets of an image by the numbers of SOCK. Errors: BackendError for a family that is not restored. */
export function imageSockets(reader: StreamReader): Map<number, ImageSocket> {
  const flags = new Map<number, number>();
  for (const part of reader.objects("FILE")) {
    const { value } = reader.get(part, RECORDS.FILE);
    if (value.f_type === FILE_TYPE.socket) flags.set(value.sock_objref ?? 0, value.f_flags);
  }
  const found = new Map<number, ImageSocket>();
  for (const part of reader.objects("SOCK")) {
    const socket = socketOf(reader, part, flags.get(part.objref ?? 0));
    found.set(socket.objref, socket);
  }
  return found;
}

function socketOf(reader: StreamReader, part: Part, flags: number | undefined): ImageSocket {
  const { sock, sock_common: common } = reader.get(part, RECORDS.SOCKET).value;
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  const objref = part.objref ?? 0;
  const decoded = decodeSocket(reader, part);
  const base = {
    ...{ objref, part, flags, type: sock.type, protocol: sock.protocol, state: sock.state },
    backlog: Math.max(0, sock.backlog),
    shutdown: sock.shutdown,
    opts: encodeOptions(decoded.options),
    ifindex: extra?.ifindex ?? common.bound_dev_if,
  };
  switch (common.family) {
    case AF_UNIX:
      return { ...base, family: AF_UNIX, ...unixOf(reader, part) };
    case AF_INET:
    case AF_INET6:
      return { ...base, ...inetOf(decoded, common.family) };
    case AF_NETLINK:
    case AF_PACKET:
      return { ...base, family: common.family };
    default:
      throw new BackendError(`SOCK ${objref} is of the family ${common.family}, which is not restored`);
  }
}

function unixOf(
  reader: StreamReader,
  part: Part,
): Pick<ImageUnix, "name" | "directory" | "isLinked" | "permissions" | "peer"> {
  const { laddr, laddr_len: length, flags, peer } = reader.get(part, RECORDS.SOCKET_UNIX).value;
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  const name = laddr.subarray(SUN_PATH, Math.max(SUN_PATH, Math.min(length, laddr.length)));
  // A path ends with a NUL, which is no part of it.
  const end = name[0] === 0 ? -1 : name.indexOf(0);
  const hasPermissions = extra !== undefined && (extra.flags & PERMISSIONS) !== 0;
  return {
    name: end === -1 ? name : name.subarray(0, end),
    directory: reader.text(part, RECORDS.STRING),
    isLinked: (flags & LINKED) !== 0,
    permissions: hasPermissions ? { mode: extra.mode, uid: extra.uid, gid: extra.gid } : undefined,
    peer,
  };
}

function inetOf(
  socket: Socket,
  family: ImageInet["family"],
): Pick<ImageInet, "family" | "local" | "remote" | "v6only" | "ip" | "tcp"> {
  const options = encodeInetOptions(socket);
  const addressOf = (end: InetEnd | undefined): Buffer | undefined =>
    end === undefined || end.port === 0 ? undefined : inetAddress(family, end.port, end.address);
  return {
    family,
    local: addressOf(socket.inet?.local),
    remote: addressOf(socket.inet?.remote),
    v6only: socket.options.switches.IPV6_V6ONLY === true,
    ip: options.ip_opts ?? {},
    tcp: options.tcp_opts ?? {},
  };
}

/** struct sockaddr_in or sockaddr_in6; words of the address as they stand in memory. */
export function inetAddress(family: number, port: number, words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(family === AF_INET6 ? 28 : 16);
  bytes.writeUInt16LE(family);
  bytes.writeUInt16BE(port, 2);
  const at = family === AF_INET6 ? 8 : 4;
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, at + i * 4);
  return bytes;
}

/** A message in a queue of the image. */
export interface ImageMessage {
  readonly data: Buffer;
  /** FILEs that travel with it. */
  readonly rights: readonly number[];
  /** SOCK that sent it, 0 when that is not known. */
  readonly sender: number;
}

/** What a socket had received and not read, and what it had yet to send. */
export function messagesOf(
  reader: StreamReader,
  { part }: ImageSocket,
): { readonly received: ImageMessage[]; readonly unsent: ImageMessage[] } {
  const [received, unsent] = queuesOf(part).map((packets) =>
    packets.map((packet): ImageMessage => {
      const { data, files } = decodePacket(reader, packet);
      const pieces = data.map(({ source, offset, size }) => source.read(offset, size));
      const { sk_objref: sender } = reader.get(packet, RECORDS.SOCKET_BUFFER).value;
      return { data: Buffer.concat(pieces), rights: files, sender };
    }),
  );
  return { received: received ?? [], unsent: unsent ?? [] };
}

/** Whether a socket is an end of a TCP connection, open or half closed. */
export function isConnection(socket: ImageSocket): boolean {
  return (
    (socket.family === AF_INET || socket.family === AF_INET6) &&
    socket.protocol === IPPROTO_TCP &&
    socket.state !== TCP_LISTEN &&
    socket.state !== TCP_CLOSE
  );
}

/** Why a connection cannot be brought back; undefined when it can. */
export function whyNotConnected(reader: StreamReader, socket: ImageInet): string | undefined {
  if (socket.state !== TCP_ESTABLISHED)
    return `is a TCP connection in the state ${socket.state}, half open or half closed`;
  if (reader.find(socket.part, RECORDS.TCP_EXTRA) === undefined)
    return "is a TCP connection, and the checkpoint lacks its TCP options";
  return undefined;
}
