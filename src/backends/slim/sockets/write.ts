import { RECORDS } from "../../../formats/linux-cr/records.js";
import { MemorySource } from "../../../io/source.js";
import { AF_UNIX, SUN_PATH, TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN } from "../../../linux/sockets.js";
import { Losses } from "../../../model/loss.js";
import { writeInetRecords } from "../../../ops/convert/to-linux-cr/inet-sockets.js";
import { writeNetlinkRecords, writePacketRecords } from "../../../ops/convert/to-linux-cr/other-sockets.js";
import { writeSocketExtra, writeSocketRecord } from "../../../ops/convert/to-linux-cr/sockets.js";
import { writeByteQueue } from "../../../ops/convert/to-linux-cr/tcp-connections.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { OpenFileState } from "../files/open-files.js";
import type { QueuedMessage, SavedSocket, UnixSocket } from "./captured.js";
import { LINKED } from "./image.js";

const SOCKADDR_BYTES = 110;
const SLASH = 0x2f;

/** Writes the records of an open file whose number was just given. */
type WriteFile = (context: CheckpointContext, file: OpenFileState, objref: number) => void;

/** SOCK object of an open socket; gives its number. Files in flight are written by `writeFile`. */
export function writeSocket(context: CheckpointContext, file: OpenFileState, writeFile: WriteFile): number {
  const socket = context.sockets.get(file);
  if (socket === undefined) throw new Error(`${file.link} is not supported`);
  return writeSock(context, socket, file.link, writeFile);
}

function writeSock(
  context: CheckpointContext,
  socket: SavedSocket,
  label: string,
  writeFile: WriteFile,
): number {
  return context.ref("SOCK", socket.inode, (objref) => {
    // What has no place in a stream was refused, so that nothing is lost here.
    const records = { writer: context.writer, losses: new Losses() };
    switch (socket.family) {
      case "unix":
        writeUnix(context, socket, objref, writeFile);
        break;
      case "inet":
        writeInetRecords(records, socket.entry, {
          label,
          connection: socket.connection && {
            entry: socket.connection.entry,
            received: rangeOf(socket.connection.received),
            unsent: rangeOf(socket.connection.unsent),
          },
          ifindex: socket.ifindex,
        });
        break;
      case "netlink":
        writeNetlinkRecords(records, socket.entry, label);
        break;
      case "packet":
        writePacketRecords(records, socket.entry, { label, ino: socket.inode });
    }
    if (stateOf(socket) !== TCP_LISTEN)
      context.deferred.push(() => writeQueues(context, socket, objref, writeFile));
  });
}

function stateOf(socket: SavedSocket): number {
  if (socket.family === "unix") return socket.state;
  return socket.family === "inet" ? socket.entry.state : TCP_CLOSE;
}

/** The peer, when it is new, stands between SOCKET and SOCKET_UNIX. */
function writeUnix(
  context: CheckpointContext,
  socket: UnixSocket,
  objref: number,
  writeFile: WriteFile,
): void {
  const { name, opts } = socket;
  const records = { writer: context.writer, losses: new Losses() };
  writeSocketRecord(records, {
    label: "",
    family: AF_UNIX,
    type: socket.type,
    protocol: 0,
    state: socket.state,
    backlog: socket.backlog,
    shutdown: socket.shutdown,
    opts,
  });
  const other = socket.peer === 0 ? undefined : context.sockets.byInode(socket.peer);
  const peer = other === undefined ? 0 : writeSock(context, other.socket, other.file.link, writeFile);
  const peerName = other?.socket.family === "unix" ? other.socket.name : Buffer.alloc(0);
  const isPath = name.length > 0 && name[0] !== 0;
  context.writer.record(RECORDS.SOCKET_UNIX, {
    this: objref,
    peer,
    peercred: socket.state === TCP_ESTABLISHED ? context.cred : 0,
    flags: isPath && socket.isLinked ? LINKED : 0,
    laddr_len: SUN_PATH + name.length,
    raddr_len: other === undefined ? 0 : SUN_PATH + peerName.length,
    laddr: sockaddr(name),
    raddr: other === undefined ? Buffer.alloc(SOCKADDR_BYTES) : sockaddr(peerName),
  });
  if (isPath && name[0] !== SLASH) context.writer.text(RECORDS.STRING, socket.directory ?? "");
  writeSocketExtra(records, opts, { ino: socket.inode, perms: socket.permissions });
}

function sockaddr(name: Buffer): Buffer {
  const address = Buffer.alloc(SOCKADDR_BYTES);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, SUN_PATH);
  return address;
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
    writeByteQueue(context, objref, rangeOf(connection.received));
    writeByteQueue(context, objref, rangeOf(connection.unsent));
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
    sk_objref: from === undefined ? 0 : writeSock(context, from.socket, from.file.link, writeFile),
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
