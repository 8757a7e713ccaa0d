/**
 * Open files, descriptors and directories, but for what has a folder of its own: deleted files, sockets, terminals, locks. A
 * kind of file with little to it (pipe, epoll, inotify, memfd, event file) is one file with all its stages.
 */

import fs from "node:fs";
import { readBuildId } from "../../../formats/elf/build-id.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { ByteSource } from "../../../io/source.js";
import { EFD_SEMAPHORE } from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_TRUNC } from "../../../linux/open-flags.js";
import type { SavedFile } from "../../../model/linux-cr/deleted-files.js";
import { encodeDescriptor } from "../../../model/linux-cr/descriptors.js";
import { encodeDirectories } from "../../../model/linux-cr/directories.js";
import { encodeFile, type FileNumbers, type SavedOpenFile } from "../../../model/linux-cr/files.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { savedFile, targetOf } from "../deleted-files/capture.js";
import type { DeletedInode } from "../deleted-files/substitutes.js";
import { writeLocks } from "../locks/capture.js";
import { writeSocket } from "../sockets/write.js";
import type { ProcessState } from "../tasks/capture.js";
import { terminalOf } from "../terminals/write.js";
import { watchesOf, writeEpollItems } from "./epoll.js";
import { writeSignalFd, writeTimerFd } from "./event-files.js";
import { DescriptorSource } from "./file-data.js";
import { writeInotify } from "./inotify.js";
import { writeMemfdState } from "./memfd.js";
import {
  type FileKind,
  isGone,
  isUnlinked,
  kindOf,
  type OpenFileState,
  pathOf,
  plainName,
} from "./open-files.js";
import { ownerOf } from "./owners.js";
import { pipeCapacity, pipeData } from "./pipes.js";

/** Types of the model; all sockets have one type of FILE. */
const TYPES: Readonly<Record<FileKind, string>> = {
  ...{ regular: "REG", directory: "REG", device: "REG", symlink: "REG" },
  ...{ pipe: "PIPE", fifo: "FIFO", socket: "UNIXSK", terminal: "TTY", memfd: "MEMFD" },
  ...{ eventpoll: "EVENTPOLL", eventfd: "EVENTFD", timerfd: "TIMERFD", signalfd: "SIGNALFD" },
  inotify: "INOTIFY",
};
const SEEKABLE: ReadonlySet<FileKind> = new Set<FileKind>(["regular", "directory", "memfd"]);
/** Flags that only matter when a file is opened. */
const OPEN_ONCE = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC;

/** FILE of an open file with all that belongs to it. */
function writeFile(context: CheckpointContext, file: OpenFileState, objref: number): void {
  const { writer } = context;
  const kind = kindOf(file);
  if (kind === undefined) throw new Error(`${file.link} is not supported`);
  writeRecords(context, file, kind, { objref, ...ofKind(context, file, kind) });
  if (kind === "eventpoll") context.deferred.push(() => writeEpollItems(context, file, objref, writeFile));
  if (kind === "timerfd") writeTimerFd(context, file);
  if (kind === "signalfd") writeSignalFd(context, file);
  if (kind === "inotify") writeInotify(writer, context.watches.of(file));
  if (kind === "memfd") writeMemfdState(context, file.stat, file.link, context.use(openAgain(file)));
}

/** What only the kind of a file has in its FILE; objects that it names are written before. */
function ofKind(
  context: CheckpointContext,
  file: OpenFileState,
  kind: FileKind,
): Pick<FileNumbers, "own" | "pipe"> {
  const { stat, info } = file;
  switch (kind) {
    case "pipe":
    case "fifo": {
      const { objref, isNew } = context.hidden("INODE", `pipe ${stat.dev}:${stat.ino}`);
      const pipe = isNew ? { data: [pipeData(file)], capacity: pipeCapacity(file) } : undefined;
      return { own: { pipe_objref: objref }, pipe };
    }
    case "eventfd": {
      const isSemaphore = info.lines.get("eventfd-semaphore")?.[0] === "1";
      const count = BigInt(`0x${info.lines.get("eventfd-count")?.[0]?.trim() ?? "0"}`);
      return { own: { count, flags: isSemaphore ? EFD_SEMAPHORE : 0 } };
    }
    case "socket":
      return { own: { sock_objref: writeSocket(context, file, writeFile) } };
    case "terminal":
      return { own: { tty_objref: terminalOf(context, file) } };
    default:
      return {};
  }
}

function writeRecords(
  context: CheckpointContext,
  file: OpenFileState,
  kind: FileKind,
  numbers: Pick<FileNumbers, "objref" | "own" | "pipe">,
): void {
  const { info, stat } = file;
  const type = TYPES[kind];
  const isNamed = type === "REG" || kind === "fifo";
  const deleted =
    isNamed && isUnlinked(file)
      ? savedFile(context, deletedInode(file), {
          open: stat.isFile() ? () => context.use(openAgain(file)) : undefined,
          target: stat.isSymbolicLink() ? targetOf(file) : undefined,
        })
      : undefined;
  // A program has an ELF header; opening a file breaks its lease.
  const mayBeProgram = kind === "regular" && stat.size >= PAGE_SIZE && !context.leases.forbidsReading(stat);
  const program = mayBeProgram ? context.use(openAgain(file)) : undefined;
  write(
    context,
    {
      type,
      path: isNamed || kind === "terminal" ? pathOf(file) : undefined,
      flags: info.flags & ~(O_CLOEXEC | OPEN_ONCE),
      position: SEEKABLE.has(kind) ? info.position : undefined,
      owner: ownerOf(file),
      identity: type === "REG" ? identityOf(stat, program) : undefined,
    },
    numbers,
    deleted,
  );
}

/** Who gets its signals is 0, nobody, when that is somebody outside of the tree. */
function write(
  context: CheckpointContext,
  file: Omit<SavedOpenFile, "deleted">,
  numbers: Pick<FileNumbers, "objref" | "own" | "pipe">,
  deleted: (Pick<FileNumbers, "inode"> & { readonly saved: SavedFile }) | undefined,
): void {
  const tag = (pid: number): number => context.tag(pid);
  context.writer.records(
    encodeFile(
      { ...file, deleted: deleted?.saved },
      { ...numbers, credentials: context.cred, inode: deleted?.inode, tag },
    ),
  );
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

/** FILE_TABLE, the descriptors with the files that are new, their locks, then what was put off to the end. */
export function writeFileTable(context: CheckpointContext, pid: number, objref: number): void {
  const { writer, files } = context;
  const held = files.of(pid);
  const outer = context.deferred;
  context.deferred = [];
  context.tableRef = objref;
  // No object may stand between what was put off.
  const known = new Set(held.map(({ file }) => file));
  for (const { file } of held) writeWatchedFiles(context, file, known);
  writer.record(RECORDS.FILE_TABLE, { fdt_nfds: held.length });
  for (const each of held) {
    const { file } = each;
    const fileRef = context.ref("FILE", file.id, (objref) => writeFile(context, file, objref));
    writer.records([encodeDescriptor(each, fileRef)]);
    writeLocks(context, pid, each, fileRef);
  }
  // What is put off meanwhile is appended, and met by this loop.
  for (const next of context.deferred) next();
  context.deferred = outer;
}

/** FILE of all that an epoll instance watches and that is not in its table: another process has it. */
function writeWatchedFiles(context: CheckpointContext, file: OpenFileState, known: Set<OpenFileState>): void {
  for (const { file: watched } of watchesOf(context.files, file)) {
    if (watched === undefined || known.has(watched)) continue;
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
  const directories = {
    umask: frozen.status.umask,
    cwd: { path: name, objref: cwdRef, mode: isDeleted ? Number(stat.mode) : 0 },
    root: { path: root, objref: 0, mode: 0 },
  };
  writer.records(encodeDirectories(directories));
}

function writeDeletedDirectory(context: CheckpointContext, inode: DeletedInode): number {
  const { stat, path } = inode;
  return context.ref("FILE", `directory ${stat.dev}:${stat.ino} ${path}`, (objref) =>
    write(
      context,
      { ...UNOWNED, path, flags: O_DIRECTORY, identity: identityOf(stat, undefined) },
      { objref },
      savedFile(context, inode),
    ),
  );
}

/** What no descriptor stands for. */
const UNOWNED = { type: "REG", position: 0n, owner: undefined } as const;

/** What a restart compares the file with that it finds. `source` is given for what may be a program. */
function identityOf(stat: fs.BigIntStats, source: ByteSource | undefined): SavedOpenFile["identity"] {
  return {
    mode: Number(stat.mode),
    size: stat.size,
    inode: { dev: stat.dev, ino: stat.ino },
    mtime: stat.mtimeNs,
    buildId: source && readBuildId(source),
  };
}

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
    const isDeleted = isGone(name, stat);
    const plain = isDeleted ? plainName(name) : name;
    const open = (): DescriptorSource => context.use(DescriptorSource.open(path, plain));
    const deleted = isDeleted ? savedFile(context, { stat, path: plain, link: path }, { open }) : undefined;
    // Opening a file breaks its lease.
    const identity = identityOf(stat, context.leases.forbidsReading(stat) ? undefined : open());
    write(context, { ...UNOWNED, path: plain, flags, identity }, { objref }, deleted);
  });
}
