import type { EventfdFileEntry } from "../../../formats/criu/tables/eventfd.js";
import type { InotifyFileEntry } from "../../../formats/criu/tables/fsnotify.js";
import type { FifoEntry, PipeEntry } from "../../../formats/criu/tables/pipe.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import type { SignalfdEntry } from "../../../formats/criu/tables/siginfo.js";
import type { TimerfdEntry } from "../../../formats/criu/tables/timer.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { wordBytes } from "../../../io/words.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import { writeUnlinked } from "./deleted-files.js";
import { writeEpoll } from "./epoll.js";
import { FILE_TYPE, writeFileRecord, writeIdentity, writeOwner } from "./file-parts.js";
import { whyNotFile } from "./inexpressible.js";
import { writeMemfd } from "./memfd.js";
import { writeSocketFile } from "./socket-files.js";
import { writeTerminalFile } from "./terminals.js";
import { writeTimer } from "./timers.js";

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
  EVENTFD: writeEventfd,
  EVENTPOLL: writeEpoll,
  TIMERFD: writeTimerfd,
  SIGNALFD: writeSignalfd,
  MEMFD: writeMemfd,
  INOTIFY: writeInotify,
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

function writeEventfd(context: Context, file: OpenFile, objref: number): void {
  const { flags, fown, counter } = file.record as EventfdFileEntry;
  // criu makes it anew without flags and sets O_NONBLOCK afterwards, so f_flags say all.
  writeFileRecord(context, FILE_TYPE.eventfd, { flags, own: { count: counter } });
  writeOwner(context, file, objref, fown, flags);
}

function writeTimerfd(context: Context, file: OpenFile, objref: number): void {
  const entry = file.record as TimerfdEntry;
  writeFileRecord(context, FILE_TYPE.timerfd, entry);
  writeOwner(context, file, objref, entry.fown, entry.flags);
  writeTimer(context, file);
}

function writeSignalfd(context: Context, file: OpenFile, objref: number): void {
  const { flags, fown, sigmask: mask } = file.record as SignalfdEntry;
  writeFileRecord(context, FILE_TYPE.signalfd, { flags });
  writeOwner(context, file, objref, fown, flags);
  const sigmask = wordBytes("u64", [mask], "signal mask");
  context.writer.record(RECORDS.SIGNALFD, { sigmask });
}

function writeInotify(context: Context, file: OpenFile, objref: number): void {
  const { flags, fown, wd: watches } = file.record as InotifyFileEntry;
  writeFileRecord(context, FILE_TYPE.inotify, { flags });
  writeOwner(context, file, objref, fown, flags);
  const named = watches.filter(({ f_handle: { path } }) => path !== undefined);
  for (const { wd, i_ino: ino, f_handle: handle } of watches)
    if (handle.path === undefined)
      context.losses.add(
        `open file ${file.id} (${file.label})`,
        `watch ${wd}, of inode ${ino}`,
        "the set knows the watched file by a handle of its file system and no path",
      );
  context.writer.record(RECORDS.INOTIFY, { nr_watches: named.length });
  for (const { wd, mask, i_ino: ino, s_dev: dev, f_handle: handle } of named)
    context.writer.record(
      RECORDS.INOTIFY_WATCH,
      { wd, mask, ino, dev },
      textPayload(RECORDS.INOTIFY_WATCH, handle.path as string),
    );
}
