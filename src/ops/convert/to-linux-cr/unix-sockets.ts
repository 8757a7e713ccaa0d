import type { SkPacketEntry } from "../../../formats/criu/tables/sk-queue.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { wordBytes } from "../../../io/words.js";
import { AF_UNIX, SCM_RIGHTS, SUN_PATH, TCP_ESTABLISHED, TCP_LISTEN } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import { whyNotFile } from "./inexpressible.js";
import { writeSocketExtra, writeSocketRecord } from "./sockets.js";

const SOCKADDR_BYTES = 110;
const SLASH = 0x2f;
/** SOCKET_UNIX.flags: the name is still in the file system. */
const LINKED = 1;

/** Peers stand inside one another; a reader need not follow deeper than this. */
const MOST_PEERS = 32;

/** Writes an open file by its id at its first use and gives its number, 0 for one that is lost; `user` has it. */
export type WriteFile = (context: Context, fileId: number, user: string) => number;

/** SOCK object of a unix socket. Its peer, when it is new, stands between SOCKET and SOCKET_UNIX; `depth` of them so far. */
export function writeUnixSocket(context: Context, file: OpenFile, writeFile: WriteFile, depth = 0): number {
  const entry = file.record as UnixSkEntry;
  return context.ref("SOCK", `unix ${entry.ino}`, (objref) => {
    const { name } = entry;
    writeSocketRecord(context, {
      get label() {
        return `open file ${file.id} (${file.label})`;
      },
      family: AF_UNIX,
      type: entry.type,
      protocol: 0,
      state: entry.state,
      backlog: entry.backlog,
      shutdown: entry.shutdown,
      opts: entry.opts,
    });
    const peer = entry.peer === 0 ? undefined : peerOf(context, file, entry.peer, depth);
    const peerRef = peer === undefined ? 0 : writeUnixSocket(context, peer, writeFile, depth + 1);
    const peerName = peer === undefined ? Buffer.alloc(0) : (peer.record as UnixSkEntry).name;
    const isPath = name.length > 0 && name[0] !== 0;
    context.writer.record(RECORDS.SOCKET_UNIX, {
      this: objref,
      peer: peerRef,
      peercred: entry.state === TCP_ESTABLISHED ? context.cred : 0,
      flags: isPath && entry.deleted !== true ? LINKED : 0,
      laddr_len: SUN_PATH + name.length,
      raddr_len: peer === undefined ? 0 : SUN_PATH + peerName.length,
      laddr: sockaddr(name),
      raddr: peer === undefined ? Buffer.alloc(SOCKADDR_BYTES) : sockaddr(peerName),
    });
    if (isPath && name[0] !== SLASH) context.writer.text(RECORDS.STRING, entry.name_dir ?? "");
    writeSocketExtra(context, entry.opts, { ino: entry.ino, perms: entry.file_perms });
    if (entry.state === TCP_LISTEN) return;
    context.deferred.push(() => writeQueues(context, file, { own: objref, sender: peerRef }, writeFile));
  });
}

function peerOf(context: Context, file: OpenFile, ino: number, depth: number): OpenFile | undefined {
  const peer = context.files.socket(ino);
  const isTooDeep = depth >= MOST_PEERS && context.known("SOCK", `unix ${ino}`) === undefined;
  const why =
    peer === undefined
      ? "the set does not have it"
      : isTooDeep
        ? `more than ${MOST_PEERS} sockets are connected one behind the other`
        : whyNotFile(peer, context.files);
  if (why === undefined) return peer;
  context.losses.add(`open file ${file.id} (${file.label})`, `its other end, socket ${ino}`, why);
  return undefined;
}

function sockaddr(name: Buffer): Buffer {
  const address = Buffer.alloc(SOCKADDR_BYTES);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, SUN_PATH);
  return address;
}

/** What was received and not read, then an empty queue: of a unix socket nothing waits to be sent. */
function writeQueues(
  context: Context,
  file: OpenFile,
  { own, sender }: { readonly own: number; readonly sender: number },
  writeFile: WriteFile,
): void {
  const packets = context.files.packets(file.id);
  const total = packets.reduce((sum, { data }) => sum + data.size, 0);
  context.writer.record(RECORDS.SOCKET_QUEUE, { skb_count: packets.length, total_bytes: total });
  for (const { entry, data } of packets) {
    const rights = rightsOf(context, file, entry, writeFile);
    context.writer.record(RECORDS.SOCKET_BUFFER, {
      lin_len: data.size,
      skb_len: data.size,
      sk_objref: sender,
      pr_objref: own,
    });
    context.writer.buffer(data);
    if (rights.length > 0)
      context.writer.record(RECORDS.PACKET_RIGHTS, {}, wordBytes("u32", rights, "file number"));
  }
  context.writer.record(RECORDS.SOCKET_QUEUE);
}

/** FILEs of the descriptors that travel with a packet: those that are new are written here, before it. */
function rightsOf(context: Context, file: OpenFile, { scm }: SkPacketEntry, writeFile: WriteFile): number[] {
  return scm.flatMap(({ type, rights }) => {
    if (type === SCM_RIGHTS)
      return rights
        .map((id) => writeFile(context, id, `in flight to open file ${file.id}`))
        .filter((objref) => objref !== 0);
    context.losses.add(
      `open file ${file.id} (${file.label})`,
      `control data of type ${type} in its queue`,
      "a stream holds descriptors alone",
    );
    return [];
  });
}
