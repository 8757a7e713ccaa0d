import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { BackendError } from "../../../io/errors.js";
import { EAGAIN } from "../../../linux/errno.js";
import { AT_FDCWD, F_SETFL } from "../../../linux/files.js";
import { O_ACCMODE, O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_PATH, O_RDWR } from "../../../linux/open-flags.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { FileUser } from "../../backend.js";
import { DeletedFiles } from "../deleted-files/apply.js";
import { Journal } from "../journal.js";
import { Sockets } from "../sockets/apply.js";
import { SYS } from "../sys/abi-x64.js";
import { withRightsOf } from "../sys/file-user.js";
import { KernelError } from "../sys/kernel-error.js";
import { attempt, call, cString } from "../sys/syscall.js";
import { Terminals } from "../terminals/pairs.js";
import { makeEpoll, makeEventFd, makeSignalFd, makeTimerFd } from "./event-files.js";
import type { OpenFileRecord } from "./image.js";
import { makeInotify } from "./inotify.js";
import { MemFiles } from "./memfd.js";
import { Pipes } from "./pipes.js";

/** What F_SETFL can set: O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME. */
const SETTABLE = 0o2000 | 0o4000 | 0o40000 | 0o1000000;

/** Terminals and memfds are made anew, with owners that the user may not choose. */
const NO_PATH: ReadonlySet<number> = new Set([FILE_TYPE.terminal, FILE_TYPE.memfd]);

/**
 * The open files of an image, made anew as descriptors of crimg, each at its first use; tasks are given them
 * with pidfd_getfd(2). Errors: BackendError naming the file.
 */
export class OpenFiles {
  /** What must not outlast this run. */
  readonly journal: Journal;
  readonly #open = new Map<number, number>();
  readonly terminals: Terminals;
  readonly sockets: Sockets;
  readonly #pipes: Pipes;
  readonly #memFiles: MemFiles;
  readonly deleted: DeletedFiles;

  constructor(
    readonly reader: StreamReader,
    /** The image. */
    readonly image: number,
    /** FILEs of shared mappings that are written to: criu stores them as if they were open for reading alone. */
    readonly written: ReadonlySet<number>,
    /** Whose rights to files count. */
    readonly user: FileUser | undefined,
  ) {
    this.journal = new Journal(user);
    this.deleted = new DeletedFiles(reader, image, this.journal, (objref) => this.file(objref));
    this.#pipes = new Pipes(reader, this.deleted);
    this.#memFiles = new MemFiles(reader, image);
    this.terminals = new Terminals(reader);
    this.sockets = new Sockets(reader, this.journal, (objref) => this.get(objref));
  }

  /** The descriptor of crimg for a FILE. */
  get(objref: number): number {
    const known = this.#open.get(objref);
    if (known !== undefined) return known;
    const file = this.file(objref);
    const fd = NO_PATH.has(file.value.f_type)
      ? this.#make(file)
      : withRightsOf(this.user, () => this.#make(file));
    this.#open.set(objref, fd);
    return fd;
  }

  /** Makes a descriptor of crimg, made elsewhere, that of a FILE. */
  adopt(objref: number, fd: number): void {
    this.#open.set(objref, fd);
  }

  file(objref: number): OpenFileRecord {
    const part = this.reader.object(objref, "FILE");
    if (part === undefined) throw this.reader.image.error(0, `there is no FILE ${objref}`);
    const { value: stored } = this.reader.get(part, RECORDS.FILE);
    const isWritten = (stored.f_flags & O_ACCMODE) === 0 && this.written.has(objref);
    const value = isWritten ? { ...stored, f_flags: stored.f_flags | O_RDWR } : stored;
    return { part, objref, value, path: this.reader.text(part, RECORDS.FILE_NAME) };
  }

  /** Puts the seals on all memfds. */
  seal(): void {
    this.#memFiles.seal();
  }

  close(): void {
    for (const fd of this.#open.values()) attempt(SYS.close, fd);
    this.#open.clear();
    this.#pipes.close();
    this.#memFiles.close();
    this.terminals.close();
    this.sockets.close();
    withRightsOf(this.user, () => this.deleted.close());
  }

  #make(file: OpenFileRecord): number {
    const { value, part } = file;
    switch (value.f_type) {
      case FILE_TYPE.generic: {
        const isDeleted = this.reader.find(part, RECORDS.FILE_UNLINKED) !== undefined;
        const fd = isDeleted ? this.deleted.open(file) : openNamed(file);
        return this.#positioned(fd, file);
      }
      case FILE_TYPE.pipe:
      case FILE_TYPE.fifo:
        return this.#pipes.end(file);
      case FILE_TYPE.socket:
        return this.sockets.open(file);
      case FILE_TYPE.terminal:
        return this.terminals.open(file);
      case FILE_TYPE.epoll:
        return this.#withFlags(makeEpoll(), file);
      case FILE_TYPE.eventfd:
        return this.#withFlags(makeEventFd(file), file);
      case FILE_TYPE.timerfd:
        return this.#withFlags(makeTimerFd(this.reader, file), file);
      case FILE_TYPE.signalfd:
        return this.#withFlags(makeSignalFd(this.reader, file), file);
      case FILE_TYPE.memfd:
        return this.#positioned(this.#memFiles.open(file), file);
      case FILE_TYPE.inotify:
        return this.#withFlags(makeInotify(), file);
      default:
        throw new BackendError(`FILE ${file.objref} has the type ${value.f_type}, which is not restored`);
    }
  }

  #positioned(fd: number, file: OpenFileRecord): number {
    const { f_pos: position } = file.value;
    if (position !== 0n) call(`seek in ${file.path}`, SYS.lseek, fd, position, 0);
    return fd;
  }

  #withFlags(fd: number, { value }: OpenFileRecord): number {
    call("set the flags of a file", SYS.fcntl, fd, F_SETFL, value.f_flags & SETTABLE);
    return fd;
  }
}

/** O_CREAT, O_EXCL, O_TRUNC: a restart opens what is there and makes nothing. */
const OPEN_ONCE = 0o100 | 0o200 | 0o1000;

/**
 * Opens a file or directory by its path, with the flags that it had; it does not wait for a lease of another process.
 * Errors: BackendError naming the path.
 */
function openNamed({ path = "", value }: OpenFileRecord): number {
  const flags = value.f_flags & ~OPEN_ONCE;
  const fd = attempt(SYS.openat, AT_FDCWD, cString(path), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd === -EAGAIN)
    throw new BackendError(
      `cannot open ${path}: another process has a lease on it, which is now being broken`,
    );
  if (fd < 0) throw new KernelError(`open ${path}`, -fd);
  if ((flags & (O_NONBLOCK | O_PATH)) === 0) call(`set the flags of ${path}`, SYS.fcntl, fd, F_SETFL, flags);
  return fd;
}
