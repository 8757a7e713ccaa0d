import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import { EFD_SEMAPHORE } from "../../../../linux/files.js";
import { PAGE_SIZE } from "../../../../linux/mman.js";
import { O_CLOEXEC } from "../../../../linux/open-flags.js";

import { DescriptorSource } from "../data-ranges.js";
import type { OpenFileState } from "../descriptions.js";
import { type FileKind, isUnlinked, kindOf, pathOf } from "../file-kind.js";
import type { DeletedInode } from "../substitutes.js";
import type { CheckpointContext } from "./context.js";
import { targetOf, writeUnlinked, writeUnlinkedExtra } from "./deleted.js";
import { writeEpollItems } from "./epoll.js";
import { fileMode } from "./file-mode.js";
import { writeIdentity } from "./identity.js";
import { writeInotify } from "./inotify.js";
import { writeMemfdState } from "./mapped-file.js";
import { writeOwner } from "./owner.js";
import { pipeCapacity, pipeData } from "./pipe.js";
import { writeSocket } from "./socket.js";
import { writeSignalFd, writeTimerFd } from "./timerfd.js";
import { terminalOf, writeOpenedName } from "./tty.js";

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

/** FILE of an open file description with all that belongs to it. */
export function writeFile(context: CheckpointContext, file: OpenFileState, objref: number): void {
  const { writer } = context;
  const kind = kindOf(file);
  const type = kind && TYPE[kind];
  if (kind === undefined || type === undefined) throw new Error(`${file.link} was not refused`);
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
  if (kind === "inotify") writeInotify(context, file);
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
  // A program has an ELF header; whoever opens a file breaks its lease.
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
