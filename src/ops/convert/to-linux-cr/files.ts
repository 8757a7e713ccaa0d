import type { EventfdFileEntry } from "../../../formats/criu/tables/eventfd.js";
import type { FifoEntry, PipeEntry } from "../../../formats/criu/tables/pipe.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM, FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { FILE_TYPES } from "../../../model/linux-cr/files.js";
import { type EncodedSpecial, encodeSpecial } from "../../../model/linux-cr/special-files.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Epoll, Inotify, SpecialFile } from "../../../model/special-file.js";
import type { Context } from "./context.js";
import { writeUnlinked } from "./deleted-files.js";
import { writeFileRecord, writeIdentity, writeOwner } from "./file-parts.js";
import { whyNotFile } from "./inexpressible.js";
import { writeMemfd } from "./memfd.js";
import { writeSocketFile } from "./sockets.js";
import { writeTerminalFile } from "./terminals.js";
import { told } from "./timers.js";

/** Writes the records of one type of open file behind its OBJREF. */
type FileWriter = (context: Context, file: OpenFile, objref: number) => void;

const WRITERS: Readonly<Record<string, FileWriter>> = {
  REG: writeRegular,
  PIPE: writePipe,
  FIFO: writeFifo,
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
  const why = file === undefined ? "the set has no open file of this id" : whyNotFile(file, context.files);
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

/** Descriptors that travel in its queue are files, too. */
function writeSocket(context: Context, file: OpenFile, objref: number): void {
  writeSocketFile(context, file, objref, writeFile);
}

function writeRegular(context: Context, file: OpenFile, objref: number): void {
  const entry = file.record as RegFileEntry;
  writeFileRecord(context, FILE_TYPE.generic, { flags: entry.flags, position: file.position });
  context.writer.text(RECORDS.FILE_NAME, entry.name);
  const deleted = writeUnlinked(context, file, objref);
  writeOwner(context, file, objref, entry.fown, entry.flags);
  writeIdentity(context, objref, entry, deleted?.identity);
  deleted?.writeExtra(objref);
}

function writePipe(context: Context, file: OpenFile, objref: number): void {
  const { flags, fown, pipe_id: pipeId } = file.record as PipeEntry;
  const pipe = context.hidden("INODE", `pipe ${pipeId}`);
  writeFileRecord(context, FILE_TYPE.pipe, { flags, own: { pipe_objref: pipe.objref } });
  const capacity = pipe.isNew ? writePipeBuffer(context, "pipe", pipeId) : undefined;
  writeOwner(context, file, objref, fown, flags);
  if (capacity !== undefined) context.writer.record(RECORDS.PIPE_STATE, { capacity });
}

function writeFifo(context: Context, file: OpenFile, objref: number): void {
  const { pipe_id: pipeId, regf_id: nodeId } = file.record as FifoEntry;
  const node = context.files.all.get(nodeId ?? file.id, "REG") as OpenFile;
  const entry = node.record as RegFileEntry;
  context.files.used.nodes.add(node.id);
  const pipe = context.hidden("INODE", `fifo ${pipeId}`);
  writeFileRecord(context, FILE_TYPE.fifo, { flags: entry.flags, own: { pipe_objref: pipe.objref } });
  context.writer.text(RECORDS.FILE_NAME, entry.name);
  const deleted = writeUnlinked(context, node, objref);
  const capacity = pipe.isNew ? writePipeBuffer(context, "fifo", pipeId) : undefined;
  writeOwner(context, file, objref, entry.fown, entry.flags);
  writeIdentity(context, objref, entry, deleted?.identity);
  deleted?.writeExtra(objref);
  if (capacity !== undefined) context.writer.record(RECORDS.PIPE_STATE, { capacity });
}

/** Unread bytes; gives the capacity, undefined when it was not stored. */
function writePipeBuffer(context: Context, kind: "pipe" | "fifo", pipeId: number): number | undefined {
  const found = context.files.pipe(kind, pipeId);
  context.writer.record(RECORDS.PIPE_BUF, {}, found?.data ?? []);
  return found?.capacity;
}

/** A file that is nothing but its own state. What an epoll watches stands where its table ends, when all files have numbers. */
function writeSpecial(context: Context, file: OpenFile, objref: number): void {
  const { flags, fown } = file.record as EventfdFileEntry;
  const special = file.special as SpecialFile;
  const { type, own = {}, records } = encodeSpecial(special) as EncodedSpecial;
  writeFileRecord(context, FILE_TYPES.numberOf(type) as number, { flags, own });
  writeOwner(context, file, objref, fown, flags);
  for (const { kind, fields, payload } of records) context.writer.record(kind, fields, payload);
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
