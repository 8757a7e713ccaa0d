/**
 * Open files, descriptors and directories, but for what has a folder of its own: deleted files, sockets, terminals, locks. A
 * kind of file with little to it (pipe, epoll, inotify, memfd, event file) is one file with all its stages.
 */

import fs from "node:fs";
import { readBuildId } from "../../../formats/elf/build-id.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import type { ByteSource } from "../../../io/source.js";
import { EFD_SEMAPHORE } from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { O_CLOEXEC, O_DIRECTORY } from "../../../linux/open-flags.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { targetOf, writeUnlinked, writeUnlinkedExtra } from "../deleted-files/capture.js";
import type { DeletedInode } from "../deleted-files/substitutes.js";
import { writeLocks } from "../locks/capture.js";
import { writeSocket } from "../sockets/write.js";
import type { ProcessState } from "../tasks/capture.js";
import { terminalOf, writeOpenedName } from "../terminals/write.js";
import { watchedFiles, writeEpollItems } from "./epoll.js";
import { writeSignalFd, writeTimerFd } from "./event-files.js";
import { DescriptorSource } from "./file-data.js";
import { writeInotify } from "./inotify.js";
import { writeMemfdState } from "./memfd.js";
import {
  type FileKind,
  fileMode,
  isGone,
  isUnlinked,
  kindOf,
  type OpenFileState,
  pathOf,
  plainName,
} from "./open-files.js";
import { writeOwner } from "./owners.js";
import { pipeCapacity, pipeData } from "./pipes.js";

const TYPE: Readonly<Partial<Record<FileKind, number>>> = {
  regular: 1,
  directory: 1,
  device: 1,
  symlink: 1,
  pipe: 2,
  fifo: 3,
  socket: 4,
  terminal: 5,
  eventpoll: 6,
  eventfd: 7,
  timerfd: 1001,
  signalfd: 1002,
  memfd: 1003,
  inotify: 1004,
};
/** Flags that only matter when a file is opened: O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC. */
const OPEN_ONCE = 0o100 | 0o200 | 0o400 | 0o1000;

/** FILE of an open file with all that belongs to it. */
function writeFile(context: CheckpointContext, file: OpenFileState, objref: number): void {
  const { writer } = context;
  const kind = kindOf(file);
  const type = kind && TYPE[kind];
  if (kind === undefined || type === undefined) throw new Error(`${file.link} is not supported`);
  const { info, stat } = file;
  const flags = info.flags & ~(O_CLOEXEC | OPEN_ONCE);
  const common = {
    f_type: type,
    f_mode: fileMode(flags, kind === "regular" || kind === "directory" || kind === "memfd"),
    f_flags: flags,
    f_credref: context.cred,
    f_pos: info.position,
  };
  switch (kind) {
    case "pipe":
    case "fifo": {
      const pipe = context.hidden("INODE", `pipe ${stat.dev}:${stat.ino}`);
      writer.record(RECORDS.FILE, { ...common, pipe_objref: pipe.objref });
      if (kind === "fifo") writeName(context, file, objref);
      if (pipe.isNew) writer.record(RECORDS.PIPE_BUF, {}, pipeData(file));
      writeOwner(context, file, objref);
      writer.record(RECORDS.PIPE_STATE, { capacity: pipeCapacity(file) });
      if (kind === "fifo" && isUnlinked(file)) writeUnlinkedExtra(context, objref, deletedInode(file));
      return;
    }
    case "eventfd": {
      const { lines } = info;
      const isSemaphore = lines.get("eventfd-semaphore")?.[0] === "1";
      writer.record(RECORDS.FILE, {
        ...common,
        count: BigInt(`0x${lines.get("eventfd-count")?.[0]?.trim() ?? "0"}`),
        flags: isSemaphore ? EFD_SEMAPHORE : 0,
      });
      break;
    }
    case "socket": {
      const sock = writeSocket(context, file, writeFile);
      writer.record(RECORDS.FILE, { ...common, sock_objref: sock });
      break;
    }
    case "terminal": {
      const terminal = terminalOf(context, file);
      writer.record(RECORDS.FILE, { ...common, tty_objref: terminal });
      writeOwner(context, file, objref);
      writeOpenedName(context, objref, pathOf(file));
      return;
    }
    default:
      writer.record(RECORDS.FILE, common);
  }
  if (kind === "regular" || kind === "directory" || kind === "device" || kind === "symlink") {
    writeNamed(context, file, objref, kind === "regular");
    return;
  }
  writeOwner(context, file, objref);
  if (kind === "eventpoll") context.deferred.push(() => writeEpollItems(context, file, objref, writeFile));
  if (kind === "timerfd") writeTimerFd(context, file);
  if (kind === "signalfd") writeSignalFd(context, file);
  if (kind === "inotify") writeInotify(context.writer, context.watches.of(file));
  if (kind === "memfd") {
    const source = context.use(openAgain(file));
    writeMemfdState(context, stat, file.link, source);
  }
}

function writeNamed(
  context: CheckpointContext,
  file: OpenFileState,
  objref: number,
  isRegular: boolean,
): void {
  const { stat } = file;
  writeName(context, file, objref);
  writeOwner(context, file, objref);
  // A program has an ELF header; opening a file breaks its lease.
  const mayBeProgram = isRegular && stat.size >= PAGE_SIZE && !context.leases.forbidsReading(stat);
  writeIdentity(context, objref, stat, mayBeProgram ? context.use(openAgain(file)) : undefined);
  if (isUnlinked(file)) writeUnlinkedExtra(context, objref, deletedInode(file));
}

/** FILE_NAME and, when the name is gone, FILE_UNLINKED. */
function writeName(context: CheckpointContext, file: OpenFileState, objref: number): void {
  const path = pathOf(file);
  context.writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path));
  if (!isUnlinked(file)) return;
  const { stat } = file;
  writeUnlinked(context, objref, deletedInode(file), {
    open: stat.isFile() ? () => context.use(openAgain(file)) : undefined,
    target: stat.isSymbolicLink() ? targetOf(file) : undefined,
  });
}

function deletedInode(file: OpenFileState): DeletedInode {
  return { stat: file.stat, path: pathOf(file), link: linkOf(file) };
}

/** The file again, for reading: its own description may be for writing only, and its position is not ours to move. */
function openAgain(file: OpenFileState): DescriptorSource {
  return DescriptorSource.open(linkOf(file), file.link);
}

function linkOf({ pid, fd }: OpenFileState): string {
  return `/proc/${pid}/fd/${fd}`;
}

/** FILE.f_type of what is opened by its name. */
const NAMED = 1;

/** FILE_TABLE, the descriptors with the files that are new, their locks, then what was put off to the end. */
export function writeFileTable(context: CheckpointContext, pid: number, objref: number): void {
  const { writer, files } = context;
  const held = files.of(pid);
  const outer = context.deferred;
  context.deferred = [];
  context.tableRef = objref;
  // No object may stand between what was put off.
  for (const { file } of held) writeWatchedFiles(context, file, new Set(held.map((each) => each.file)));
  writer.record(RECORDS.FILE_TABLE, { fdt_nfds: held.length });
  for (const each of held) {
    const { fd, closeOnExec, file } = each;
    const fileRef = context.ref("FILE", file.id, (objref) => writeFile(context, file, objref));
    writer.record(RECORDS.FILE_DESC, {
      fd_objref: fileRef,
      fd_descriptor: fd,
      fd_close_on_exec: Number(closeOnExec),
    });
    writeLocks(context, pid, each, fileRef);
  }
  // What is put off may put off more.
  // What is put off meanwhile is appended, and met by this loop.
  for (const next of context.deferred) next();
  context.deferred = outer;
}

/** FILE of all that an epoll instance watches and that is not in its table: another process has it. */
function writeWatchedFiles(context: CheckpointContext, file: OpenFileState, known: Set<OpenFileState>): void {
  for (const watched of watchedFiles(context, file)) {
    if (known.has(watched)) continue;
    known.add(watched);
    context.ref("FILE", watched.id, (objref) => writeFile(context, watched, objref));
    writeWatchedFiles(context, watched, known);
  }
}

/** FS: the working and the root directory by their paths; a working directory whose name is gone is a FILE besides. */
export function writeFs(context: CheckpointContext, { cwd, root, frozen }: ProcessState): void {
  const { writer } = context;
  const link = `/proc/${frozen.stat.pid}/cwd`;
  const stat = fs.statSync(link, { bigint: true });
  const isDeleted = isGone(cwd, stat);
  const name = isDeleted ? plainName(cwd) : cwd;
  // The object stands before the record that needs it.
  const cwdRef = isDeleted ? writeDeletedDirectory(context, { stat, path: name, link }) : 0;
  writer.record(RECORDS.FS, { umask: frozen.status.umask });
  for (const path of [name, root]) writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path));
  if (isDeleted) writer.record(RECORDS.FS_EXTRA, { cwd_objref: cwdRef, cwd_mode: Number(stat.mode) });
}

function writeDeletedDirectory(context: CheckpointContext, inode: DeletedInode): number {
  const { stat, path } = inode;
  return context.ref("FILE", `directory ${stat.dev}:${stat.ino} ${path}`, (objref) => {
    context.writer.record(RECORDS.FILE, {
      f_type: NAMED,
      f_mode: fileMode(O_DIRECTORY, true),
      f_flags: O_DIRECTORY,
      f_credref: context.cred,
    });
    context.writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path));
    writeUnlinked(context, objref, inode);
    writeIdentity(context, objref, stat, undefined);
    writeUnlinkedExtra(context, objref, inode);
  });
}

const STORED = { mode: 1, inode: 2, size: 4, mtime: 8 };

/** FILE_IDENTITY: what a restart compares the file with that it finds. `source` is given for what may be a program. */
function writeIdentity(
  { writer }: CheckpointContext,
  objref: number,
  stat: fs.BigIntStats,
  source: ByteSource | undefined,
): void {
  writer.record(
    RECORDS.FILE_IDENTITY,
    {
      file_objref: objref,
      mode: Number(stat.mode),
      dev: stat.dev,
      ino: stat.ino,
      size: stat.size,
      mtime_sec: stat.mtimeNs / NSEC_PER_SEC,
      mtime_nsec: Number(stat.mtimeNs % NSEC_PER_SEC),
      flags: STORED.mode | STORED.inode | STORED.size | STORED.mtime,
    },
    source === undefined ? undefined : readBuildId(source),
  );
}

const REGULAR = 1;

/**
 * FILE of a file that is mapped or executed and that no descriptor stands for. `path` leads to it whatever became of its
 * name, as those of /proc/PID/map_files do; `name` is what the kernel calls it.
 */
export function writeMappedFile(
  context: CheckpointContext,
  path: string,
  name: string,
  flags: number,
): number {
  const stat = fs.statSync(path, { bigint: true });
  const key = `mapped ${stat.dev}:${stat.ino} ${name} ${flags}`;
  return context.ref("FILE", key, (objref) => {
    const { writer } = context;
    writer.record(RECORDS.FILE, {
      f_type: REGULAR,
      f_mode: fileMode(flags, true),
      f_flags: flags,
      f_credref: context.cred,
    });
    const isDeleted = isGone(name, stat);
    const plain = isDeleted ? plainName(name) : name;
    writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, plain));
    const inode = { stat, path: plain, link: path };
    const open = (): DescriptorSource => context.use(DescriptorSource.open(path, plain));
    if (isDeleted) writeUnlinked(context, objref, inode, { open });
    // Opening a file breaks its lease.
    writeIdentity(context, objref, stat, context.leases.forbidsReading(stat) ? undefined : open());
    if (isDeleted) writeUnlinkedExtra(context, objref, inode);
  });
}
