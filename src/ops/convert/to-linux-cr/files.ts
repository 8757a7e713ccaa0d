import type { MemfdFileEntry, MemfdInodeEntry } from "../../../formats/criu/tables/memfd.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import {
  encodeFile,
  encodeOwner,
  type FileNumbers,
  type SavedOpenFile,
} from "../../../model/linux-cr/files.js";
import { type EncodedSpecial, encodeMemfd, encodeSpecial } from "../../../model/linux-cr/special-files.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Epoll, Inotify, Memfd, SpecialFile, Terminal } from "../../../model/special-file.js";
import type { Context } from "./context.js";
import { deletedFile } from "./deleted-files.js";
import { whyNotFile } from "./inexpressible.js";
import { segmentPages } from "./pages.js";
import { writeSocketOf } from "./sockets.js";
import { writeTerminal } from "./terminals.js";
import { told } from "./timers.js";

/** Writes the records of one type of open file behind its OBJREF. */
type FileWriter = (context: Context, file: OpenFile, objref: number) => void;

const WRITERS: Readonly<Record<string, FileWriter>> = {
  REG: writeRecords,
  PIPE: writePipe,
  FIFO: writePipe,
  UNIXSK: writeSocket,
  INETSK: writeSocket,
  NETLINKSK: writeSocket,
  PACKETSK: writeSocket,
  TTY: writeTerminalFile,
  EVENTFD: writeSpecial,
  EVENTPOLL: writeSpecial,
  TIMERFD: writeSpecial,
  SIGNALFD: writeSpecial,
  MEMFD: writeMemfd,
  INOTIFY: writeSpecial,
};

/**
 * FILE object of an open file, by criu's id of it (and the type, where ids repeat); at its first use its records are
 * written. 0 for one that a stream cannot hold, which is told as lost with `user`, who has it.
 */
export function writeFile(context: Context, fileId: number, user?: string, type?: string): number {
  const file = context.files.all.get(fileId, type);
  const why = file === undefined ? "the set has no open file of this id" : whyNotFile(file);
  const write = file && WRITERS[file.type];
  if (file === undefined || write === undefined || why !== undefined) {
    if (file !== undefined && context.files.lost.has(file)) return 0;
    if (file !== undefined) context.files.lost.add(file);
    const label = file === undefined ? "" : ` (${file.label})`;
    context.losses.add(`${user ?? `open file ${fileId}`}${label}`, "the open file", why as string);
    return 0;
  }
  return context.ref("FILE", `${file.type} ${file.id}`, (objref) => write(context, file, objref));
}

/** What all types have; `own` and the contents of a pipe belong to one type. */
function writeRecords(
  context: Context,
  file: OpenFile,
  objref: number,
  ofType: Pick<FileNumbers, "own" | "pipe"> = {},
): void {
  const { type, path, flags = 0, position } = file;
  const node = file.node ?? file;
  if (node !== file) context.files.used.nodes.add(node.id);
  const deleted = type === "TTY" ? undefined : deletedFile(context, node);
  const numbers = {
    ...{ objref, credentials: context.cred, inode: deleted?.inode, ...ofType },
    tag: (pid: number) => context.tag(pid),
  };
  const owner = ownerOf(context, file, numbers);
  const identity = identityOf(node, deleted?.saved);
  const saved = { type, path, flags, position, owner, identity, deleted: deleted?.saved };
  context.writer.records(encodeFile(saved, numbers));
}

function ownerOf(
  context: Context,
  file: OpenFile,
  numbers: Pick<FileNumbers, "objref" | "tag">,
): OpenFile["owner"] {
  const { owner } = file;
  if (owner === undefined) return undefined;
  const isKnown = typeof owner.kind !== "number" || owner.pid === 0;
  if (isKnown && encodeOwner(owner, 0, numbers) !== undefined) return owner;
  context.losses.add(
    `open file ${file.id} (${file.label})`,
    `its owner for signals, ${owner.pid}`,
    isKnown ? "no task or group of the set has this id" : `type ${owner.kind} is unknown`,
  );
  return undefined;
}

/** The ghost of a deleted file knows more than its open files. */
function identityOf({ identity }: OpenFile, deleted: SavedOpenFile["deleted"]): SavedOpenFile["identity"] {
  const { dev, ino, mtime } = deleted?.ghost === undefined ? {} : deleted.inode;
  const inode = dev === undefined || ino === undefined ? undefined : { dev, ino };
  if (identity === undefined && inode === undefined && mtime === undefined) return undefined;
  const { mode, size, buildId } = identity ?? {};
  return { mode, size, buildId, inode, mtime };
}

/** Unread bytes and capacity stand with the first end. */
function writePipe(context: Context, file: OpenFile, objref: number): void {
  const kind = file.type === "FIFO" ? "fifo" : "pipe";
  const { objref: inode, isNew } = context.hidden("INODE", `${kind} ${file.pipeId}`);
  const contents = context.files.pipe(kind, file.pipeId as number) ?? { data: [], capacity: undefined };
  writeRecords(context, file, objref, {
    own: { pipe_objref: inode },
    pipe: isNew ? contents : undefined,
  });
}

/** The SOCK object stands before the FILE; descriptors that travel in its queue are files, too. */
function writeSocket(context: Context, file: OpenFile, objref: number): void {
  writeRecords(context, file, objref, { own: { sock_objref: writeSocketOf(context, file, writeFile) } });
}

/** The TTY objects stand before the FILE. */
function writeTerminalFile(context: Context, file: OpenFile, objref: number): void {
  const terminal = writeTerminal(context, file.special as Terminal);
  writeRecords(context, file, objref, { own: { tty_objref: terminal } });
}

/** A memory file; its pages stand with the first file of each memory. */
function writeMemfd(context: Context, file: OpenFile, objref: number): void {
  const { inode_id: id } = file.record as MemfdFileEntry;
  const memory = context.files.memory(id) as MemfdInodeEntry;
  const inode = context.hidden("INODE", `memfd ${id}`);
  writeRecords(context, file, objref);
  context.writer.records([encodeMemfd(file.special as Memfd, inode.objref)]);
  if (inode.isNew) context.writer.pages(segmentPages(context, memory.shmid, memory.size), 1n);
}

/** A file that is nothing but its own state. What an epoll watches stands where its table ends, when all files have numbers. */
function writeSpecial(context: Context, file: OpenFile, objref: number): void {
  const special = file.special as SpecialFile;
  const { own, records } = encodeSpecial(special) as EncodedSpecial;
  writeRecords(context, file, objref, { own });
  context.writer.records(records);
  if (special.kind === "timerfd") told(context, `open file ${file.id} (${file.label})`, [special.timer]);
  if (special.kind === "inotify") tellWatches(context, file, special);
  if (special.kind === "epoll") context.deferred.push(() => writeItems(context, file, objref, special));
}

function tellWatches({ losses }: Context, { id, label }: OpenFile, { watches }: Inotify): void {
  for (const { wd, ino, path } of watches)
    if (path === undefined)
      losses.add(
        `open file ${id} (${label})`,
        `watch ${wd}, of inode ${ino}`,
        "the set knows the watched file by a handle of its file system and no path",
      );
}

function writeItems(context: Context, file: OpenFile, objref: number, { watches = [] }: Epoll): void {
  const items: Buffer[] = [];
  for (const { fd, events, data } of watches) {
    const target = context.descriptors.get(fd);
    if (target === undefined)
      context.losses.add(
        `open file ${file.id} (${file.label})`,
        `that it watches descriptor ${fd}`,
        "the table that is written with it has no such descriptor",
      );
    else items.push(context.writer.bytesOf(EPOLL_ITEM, { data, fd, file_objref: target, events }));
  }
  context.writer.record(RECORDS.EPOLL_ITEMS, { epfile_objref: objref, num_items: items.length });
  if (items.length > 0) context.writer.buffer(...items);
}
