import { IMAGES } from "../../../formats/criu/images.js";
import { SK_PACKET_ENTRY } from "../../../formats/criu/tables/sk-queue.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { SCM_RIGHTS, SUN_PATH, TCP_LISTEN } from "../../../linux/sockets.js";
import type { ToCriu } from "./context.js";
import { addFile } from "./file-entry.js";
import { ROOT_IDS } from "./namespaces.js";
import { packetData, packetRights, queuesOf, sizeOf } from "./packets.js";
import { shutdownOf, socketOptions } from "./socket-options.js";
import type { StreamFile } from "./stream-file.js";

const SLASH = 0x2f;
/** SOCKET_UNIX.flags: the name is still there. */
const LINKED = 1;
/** SOCKET_EXTRA.flags: mode and owner of the socket's file are stored. */
const PERMISSIONS = 1;

export function unixSocket(file: StreamFile, part: Part): void {
  const { context, id, value, owner, label } = file;
  const { reader } = context;
  const { value: socket } = reader.get(part, RECORDS.SOCKET);
  const { value: own } = reader.get(part, RECORDS.SOCKET_UNIX);
  const { sock } = socket;
  addFile(context, "UNIXSK", id, {
    usk: {
      id,
      ino: inodeOf(context, part),
      type: sock.type,
      state: sock.state,
      flags: value.f_flags,
      uflags: 0,
      backlog: Math.max(0, sock.backlog),
      peer: peerOf(file, own.peer),
      fown: owner,
      opts: socketOptions(context, part, label),
      ...nameOf(context, part),
      ns_id: ROOT_IDS.net_ns_id,
      ...shutdownOf(socket),
    },
  });
  if (sock.state !== TCP_LISTEN || part.deferred !== undefined) writeQueue(file, part);
}

/** The number by which criu's sockets name each other. */
function inodeOf(context: ToCriu, part: Part): number {
  const extra = context.reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  const inode = extra === undefined || extra.inode > 0xffffffffn ? 0 : Number(extra.inode);
  return inode === 0 ? context.id("SOCK", part.objref ?? 0) : inode;
}

function peerOf({ context, label, others }: StreamFile, objref: number): number {
  if (objref === 0) return 0;
  const peer = context.reader.object(objref, "SOCK");
  if (peer !== undefined && others.openSockets.has(objref)) return inodeOf(context, peer);
  context.losses.add(label, "its other end", "no descriptor of the stream holds it");
  return 0;
}

function nameOf(
  { reader }: ToCriu,
  part: Part,
): Pick<UnixSkEntry, "name" | "name_dir" | "file_perms" | "deleted"> {
  const { laddr, laddr_len: length, flags } = reader.get(part, RECORDS.SOCKET_UNIX).value;
  const name = laddr.subarray(SUN_PATH, Math.max(SUN_PATH, Math.min(length, laddr.length)));
  const [first] = name;
  if (first === undefined || first === 0) return { name };
  const end = name.indexOf(0);
  const path = Buffer.concat([end === -1 ? name : name.subarray(0, end), Buffer.alloc(1)]);
  const directory = first === SLASH ? undefined : reader.text(part, RECORDS.STRING);
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  const { mode = 0, uid = 0, gid = 0 } = extra ?? {};
  return {
    name: path,
    ...(directory === undefined ? {} : { name_dir: withoutSlash(directory) }),
    ...(((extra?.flags ?? 0) & PERMISSIONS) === 0 ? {} : { file_perms: { mode, uid, gid } }),
    ...((flags & LINKED) === 0 ? { deleted: true } : {}),
  };
}

function withoutSlash(directory: string): string {
  return directory.length > 1 && directory.endsWith("/") ? directory.slice(0, -1) : directory;
}

/** Packets that nobody has read yet; the queue of what is to be sent is empty for unix sockets. */
function writeQueue({ context, id }: StreamFile, part: Part): void {
  const [received] = queuesOf(part);
  for (const packet of received) {
    const data = packetData(context, packet);
    const rights = packetRights(context, packet).map((objref) => context.fileId(objref));
    const scm = rights.length === 0 ? [] : [{ type: SCM_RIGHTS, rights }];
    const entry = { id_for: id, length: sizeOf(data), scm };
    context.set.add(IMAGES.SK_QUEUES, undefined, SK_PACKET_ENTRY, entry, data);
  }
}
