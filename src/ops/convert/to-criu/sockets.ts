import { IMAGES } from "../../../formats/criu/images.js";
import type { FileEntry } from "../../../formats/criu/tables/fdinfo.js";
import { TCP_STREAM_ENTRY } from "../../../formats/criu/tables/sk-inet.js";
import { SK_PACKET_ENTRY } from "../../../formats/criu/tables/sk-queue.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { encodeConnection, encodePacket } from "../../../model/criu/socket-queues.js";
import { encodeInet, encodeNetlink, encodePacketSocket, encodeUnix } from "../../../model/criu/sockets.js";
import { decodeSocket } from "../../../model/linux-cr/sockets.js";
import { closedSocket, isConnection, type Socket, type TcpConnection } from "../../../model/socket.js";
import type { ToCriu } from "./context.js";
import { ROOT_IDS } from "./namespaces.js";
import { addFile, commonFields, type StreamFile } from "./stream-file.js";

/** A socket of any family, with what waits in it. */
export function socket(file: StreamFile): void {
  const { context, file: from, label } = file;
  const { reader } = context;
  const part = reader.object((from.record.sock_objref as number | undefined) ?? 0, "SOCK");
  if (part === undefined)
    throw reader.image.error(from.origin.record, `${label} names no socket of the stream`);
  const decoded = decodeSocket(reader, part);
  if (decoded.options.interfaceIndex !== 0)
    context.losses.add(label, "the interface that it is bound to", "a stream has its number, a set its name");
  const write = WRITERS[decoded.family];
  if (write === undefined)
    context.losses.add(label, "the socket", `its family ${decoded.family} is not converted`);
  else write(file, part, decoded);
}

const WRITERS: Readonly<Record<string, (file: StreamFile, part: Part, socket: Socket) => void>> = {
  UNIX: unixSocket,
  INET: inetSocket,
  INET6: inetSocket,
  NETLINK: otherSocket,
  PACKET: otherSocket,
};

function unixSocket(file: StreamFile, part: Part, socket: Socket): void {
  const { context, id } = file;
  const { peer } = context.reader.get(part, RECORDS.SOCKET_UNIX).value;
  const named = { ino: inodeOf(context, part), peer: peerOf(file, peer), uflags: 0 };
  const entry = encodeUnix(socket);
  if (entry.file_perms === undefined) tellPermissions(file, part);
  add(file, "UNIXSK", { usk: { ...entry, ...named, ...ofFile(file) } });
  for (const packet of socket.received())
    context.set.add(
      IMAGES.SK_QUEUES,
      undefined,
      SK_PACKET_ENTRY,
      encodePacket(packet, id, (objref) => context.fileId(objref)),
      packet.data,
    );
}

function peerOf({ context, label, others }: StreamFile, objref: number): number {
  if (objref === 0) return 0;
  const peer = context.reader.object(objref, "SOCK");
  if (peer !== undefined && others.openSockets.has(objref)) return inodeOf(context, peer);
  context.losses.add(label, "its other end", "no descriptor of the stream holds it");
  return 0;
}

function inetSocket(file: StreamFile, part: Part, socket: Socket): void {
  const { context, label } = file;
  const ino = inodeOf(context, part);
  const connection = isConnection(socket) ? socket.connection() : undefined;
  const isLost = isConnection(socket) && connection === undefined;
  if (isLost)
    context.losses.add(
      label,
      "its connection; it comes back as a closed socket",
      "criu needs the window scale and the options that both ends agreed on, which the stream does not hold",
    );
  if (connection !== undefined) addConnection(context, ino, connection);
  const { received = 0, unsent = 0 } = isConnection(socket) ? {} : (socket.queued ?? {});
  if (received + unsent > 0)
    context.losses.add(
      label,
      `${received + unsent} bytes that nobody has read`,
      "criu does not store the queues of UDP",
    );
  tellPermissions(file, part);
  const entry = encodeInet(isLost ? closedSocket(socket) : socket);
  add(file, "INETSK", { isk: { ...entry, ino, ...ofFile(file) } });
}

/** tcp-stream-INO.img */
function addConnection({ set }: ToCriu, ino: number, connection: TcpConnection): void {
  const queues = [...connection.received, ...connection.unsent];
  set.add(IMAGES.TCP_STREAM, ino, TCP_STREAM_ENTRY, encodeConnection(connection), queues);
}

/** Tells a mode and an owner that a stream has of a socket without a path. */
function tellPermissions({ context, label }: StreamFile, part: Part): void {
  const extra = context.reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  if (extra !== undefined && extra.flags !== 0)
    context.losses.add(label, "its mode and owner", "criu stores these of unix sockets with a path alone");
}

function otherSocket(file: StreamFile, part: Part, socket: Socket): void {
  tellPermissions(file, part);
  const packet = encodePacketSocket(socket);
  if (packet !== undefined) {
    file.context.unwritten.add(file.context.reader.get(part, RECORDS.SOCKET).index);
    add(file, "PACKETSK", { psk: { ...packet, ...ofFile(file) } });
  } else
    add(file, "NETLINKSK", {
      nlsk: { ...encodeNetlink(socket), ino: inodeOf(file.context, part), ...ofFile(file) },
    });
}

/** The number by which criu's sockets name each other, and tcp-stream images are named. */
function inodeOf(context: ToCriu, part: Part): number {
  const inode = context.reader.find(part, RECORDS.SOCKET_EXTRA)?.value.inode ?? 0n;
  return inode === 0n || inode > 0xffff_ffffn ? context.id("SOCK", part.objref ?? 0) : Number(inode);
}

/** What all entries say of the open file. */
function ofFile(file: StreamFile) {
  return { ...commonFields(file), ns_id: ROOT_IDS.net_ns_id };
}

function add({ context, id }: StreamFile, type: string, member: Omit<FileEntry, "type" | "id">): void {
  addFile(context, type, id, member);
}
