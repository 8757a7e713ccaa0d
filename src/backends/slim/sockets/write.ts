import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { MemorySource } from "../../../io/source.js";
import { TCP_CLOSE, TCP_LISTEN } from "../../../linux/sockets.js";
import { NO_OWNER } from "../../../model/criu/files.js";
import { decodeConnection } from "../../../model/criu/socket-queues.js";
import { decodeInet, decodeNetlink, decodePacketSocket, decodeUnix } from "../../../model/criu/sockets.js";
import { encodeExtra } from "../../../model/linux-cr/socket-options.js";
import { encodeSocket, encodeUnix } from "../../../model/linux-cr/sockets.js";
import { changedSocket, closedSocket, isConnection } from "../../../model/socket.js";
import { writeByteQueue, writeSocketRecords } from "../../../ops/convert/to-linux-cr/sockets.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { OpenFileState } from "../files/open-files.js";
import type { InetSocket, QueuedMessage, SavedSocket, UnixSocket } from "./captured.js";

const SLASH = 0x2f;
/** What is being written stands in no image yet. */
const ORIGIN = { image: "", record: 0 };

/** Writes the records of an open file whose number was just given. */
type WriteFile = (context: CheckpointContext, file: OpenFileState, objref: number) => void;

/** SOCK object of an open socket; gives its number. Files in flight are written by `writeFile`. */
export function writeSocket(context: CheckpointContext, file: OpenFileState, writeFile: WriteFile): number {
  const socket = context.sockets.get(file);
  if (socket === undefined) throw new Error(`${file.link} is not supported`);
  return writeSock(context, socket, writeFile);
}

function writeSock(context: CheckpointContext, socket: SavedSocket, writeFile: WriteFile): number {
  return context.ref("SOCK", socket.inode, (objref) => {
    // What has no place in a stream was refused, so that nothing is lost here.
    const { writer } = context;
    switch (socket.family) {
      case "unix":
        writeUnix(context, socket, objref, writeFile);
        break;
      case "inet":
        writeInet(context, socket);
        break;
      case "netlink":
        writeSocketRecords(writer, decodeNetlink(socket.entry));
        break;
      case "packet":
        writeSocketRecords(writer, { ...decodePacketSocket(socket.entry), inode: socket.inode });
    }
    if (stateOf(socket) !== TCP_LISTEN)
      context.deferred.push(() => writeQueues(context, socket, objref, writeFile));
  });
}

function stateOf(socket: SavedSocket): number {
  if (socket.family === "unix") return socket.state;
  return socket.family === "inet" ? socket.entry.state : TCP_CLOSE;
}

function writeInet({ writer }: CheckpointContext, socket: InetSocket): void {
  const { entry, connection: saved, ifindex: interfaceIndex } = socket;
  const decoded = decodeInet(entry, { origin: ORIGIN });
  const own = changedSocket(decoded, { options: { ...decoded.options, interfaceIndex } });
  const connection =
    saved &&
    decodeConnection(saved.entry, {
      origin: ORIGIN,
      received: [rangeOf(saved.received)],
      unsent: [rangeOf(saved.unsent)],
    });
  const isLost = isConnection(own) && connection === undefined;
  writeSocketRecords(writer, isLost ? closedSocket(own) : own, connection);
}

/** The peer, when it is new, stands between SOCKET and SOCKET_UNIX. */
function writeUnix(
  context: CheckpointContext,
  socket: UnixSocket,
  objref: number,
  writeFile: WriteFile,
): void {
  const { writer } = context;
  const { name, directory } = socket;
  const own = decodeUnix(entryOf(socket), { origin: ORIGIN });
  writer.record(RECORDS.SOCKET, encodeSocket(own));
  const other = socket.peer === 0 ? undefined : context.sockets.byInode(socket.peer);
  const peer = other === undefined ? 0 : writeSock(context, other.socket, writeFile);
  const peerName =
    other === undefined ? undefined : other.socket.family === "unix" ? other.socket.name : Buffer.alloc(0);
  writer.record(RECORDS.SOCKET_UNIX, encodeUnix(own, { objref, peer, peerName, credentials: context.cred }));
  if (name.length > 0 && name[0] !== 0 && name[0] !== SLASH) writer.text(RECORDS.STRING, directory ?? "");
  writer.record(RECORDS.SOCKET_EXTRA, encodeExtra(own));
}

function entryOf(socket: UnixSocket): UnixSkEntry {
  const { inode, name, directory, permissions, isLinked, shutdown } = socket;
  const { type, state, backlog, opts } = socket;
  return {
    ...{ id: 0, ino: inode, peer: 0, flags: 0, uflags: 0, fown: NO_OWNER },
    ...{ type, state, backlog, opts, name, shutdown, deleted: !isLinked },
    ...(directory === undefined ? {} : { name_dir: directory }),
    ...(permissions === undefined ? {} : { file_perms: permissions }),
  };
}

/** What was received and not read, then what is yet to be sent. */
function writeQueues(
  context: CheckpointContext,
  socket: SavedSocket,
  objref: number,
  writeFile: WriteFile,
): void {
  const { writer } = context;
  const connection = socket.family === "inet" ? socket.connection : undefined;
  if (connection !== undefined) {
    writeByteQueue(writer, objref, [rangeOf(connection.received)]);
    writeByteQueue(writer, objref, [rangeOf(connection.unsent)]);
    return;
  }
  const queue = socket.family === "unix" || socket.family === "inet" ? socket.queue : [];
  const total = queue.reduce((sum, { data }) => sum + data.length, 0);
  writer.record(RECORDS.SOCKET_QUEUE, { skb_count: queue.length, total_bytes: total });
  for (const message of queue) writeMessage(context, message, objref, writeFile);
  writer.record(RECORDS.SOCKET_QUEUE);
}

function writeMessage(
  context: CheckpointContext,
  { data, files, sender }: QueuedMessage,
  objref: number,
  writeFile: WriteFile,
): void {
  const { writer } = context;
  // Open files and sockets that are new stand before the message.
  const rights = files.map((file) => context.ref("FILE", file.id, (own) => writeFile(context, file, own)));
  const from = sender === undefined ? undefined : context.sockets.byInode(sender);
  writer.record(RECORDS.SOCKET_BUFFER, {
    lin_len: data.length,
    skb_len: data.length,
    sk_objref: from === undefined ? 0 : writeSock(context, from.socket, writeFile),
    pr_objref: objref,
  });
  writer.buffer(data);
  if (rights.length > 0) writer.record(RECORDS.PACKET_RIGHTS, {}, u32s(rights));
}

function u32s(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, i * 4);
  return bytes;
}

function rangeOf(bytes: Buffer): {
  readonly source: MemorySource;
  readonly offset: 0;
  readonly size: number;
} {
  return { source: new MemorySource(bytes, "queue of a socket"), offset: 0, size: bytes.length };
}
