import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import { KCMP_EPOLL_TFD, KCMP_FILE, KCMP_FILES } from "../../../linux/files.js";
import { O_CLOEXEC, O_PATH } from "../../../linux/open-flags.js";
import { slaveIndex } from "../../../linux/tty.js";
import { type FdInfo, readFdInfo } from "../proc/fdinfo.js";
import { procLink, procNumbers } from "../proc/read.js";
import { SYS } from "../sys/abi-x64.js";
import { kcmp, orderOf, search, turned } from "../sys/kcmp.js";
import { attempt, call } from "../sys/syscall.js";

/** One descriptor of a process. */
export interface HeldDescriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly file: OpenFileState;
}

/** An open file, found by one of the descriptors that lead to it. */
export interface OpenFileState {
  readonly id: number;
  readonly pid: number;
  readonly fd: number;
  /** What the descriptor's link says: a path, `pipe:[N]`, `anon_inode:[eventfd]` … */
  readonly link: string;
  readonly stat: fs.BigIntStats;
  readonly info: FdInfo;
}

/** The descriptors of a tree of stopped processes, with each open file once, however many share it. */
export class OpenFileStates {
  readonly all: OpenFileState[] = [];
  /** By what may be the same open file, in the order of kcmp(2). */
  readonly #candidates = new Map<string, OpenFileState[]>();
  readonly #tables = new Map<number, readonly HeldDescriptor[]>();
  readonly #owners = new Map<number, number>();
  /** Processes whose tables differ, in the order of kcmp(2). */
  readonly #distinct: number[] = [];
  readonly #byNumber = new Map<number, ReadonlyMap<number, OpenFileState>>();
  #sorted: readonly OpenFileState[] = [];
  readonly #adopted: number[] = [];

  /** Reads the descriptors of a process; threads share those of their leader. Errors: BackendError when it is gone. */
  add(pid: number): void {
    const { at, found } = search(this.#distinct, (other) => kcmp(pid, other, KCMP_FILES));
    this.#owners.set(pid, found ?? pid);
    if (found !== undefined) return;
    this.#distinct.splice(at, 0, pid);
    const held = procNumbers(pid, "fd").map((fd): HeldDescriptor => {
      const info = readFdInfo(pid, fd);
      return { fd, closeOnExec: (info.flags & O_CLOEXEC) !== 0, file: this.#describe(pid, fd, info) };
    });
    this.#tables.set(pid, held);
  }

  /** The process that stands for a table of descriptors: the first that has it. */
  tableOwner(pid: number): number {
    return this.#owners.get(pid) ?? pid;
  }

  of(pid: number): readonly HeldDescriptor[] {
    return this.#tables.get(this.tableOwner(pid)) ?? [];
  }

  /**
   * What an epoll instance watches by a number: the open file that had it when it was added. Of several that had it, which
   * one by `nth`. Undefined for one that no task has open.
   */
  watched(epoll: OpenFileState, fd: number, nth: number): OpenFileState | undefined {
    const slot = Buffer.alloc(12);
    for (const [i, value] of [epoll.fd, fd, nth].entries()) slot.writeUInt32LE(value, i * 4);
    const compare = (each: OpenFileState): number => kcmp(each.pid, epoll.pid, KCMP_EPOLL_TFD, each.fd, slot);
    // The kernel walks through the interest list at each comparison, and mostly the number is still that of the file.
    const likely = this.#atNumber(epoll.pid, fd);
    if (likely !== undefined && compare(likely) === 0) return likely;
    if (this.#sorted.length !== this.all.length)
      this.#sorted = [...this.all].sort((a, b) => orderOf(kcmp(a.pid, b.pid, KCMP_FILE, a.fd, b.fd)));
    // What is there is compared with what is looked for, not the other way round.
    return search(this.#sorted, (each) => turned(compare(each))).found;
  }

  #atNumber(pid: number, fd: number): OpenFileState | undefined {
    const owner = this.tableOwner(pid);
    let table = this.#byNumber.get(owner);
    if (table === undefined) {
      table = new Map(this.of(owner).map((held) => [held.fd, held.file]));
      this.#byNumber.set(owner, table);
    }
    return table.get(fd);
  }

  /** Takes over a descriptor of crimg that came out of the queue of a socket: perhaps a known description, else a new one. */
  adopt(fd: number): OpenFileState {
    const file = this.#describe(process.pid, fd, readFdInfo(process.pid, fd));
    if (file.pid === process.pid && file.fd === fd) this.#adopted.push(fd);
    else attempt(SYS.close, fd);
    return file;
  }

  /** Closes the descriptors that were taken over. */
  close(): void {
    for (const fd of this.#adopted.splice(0)) attempt(SYS.close, fd);
  }

  #describe(pid: number, fd: number, info: FdInfo): OpenFileState {
    const path = `/proc/${pid}/fd/${fd}`;
    const link = procLink(pid, `fd/${fd}`);
    const key = `${link} ${info.flags & ~O_CLOEXEC} ${info.position}`;
    const candidates = this.#candidates.get(key) ?? [];
    const { at, found } = search(candidates, (each) => kcmp(pid, each.pid, KCMP_FILE, fd, each.fd));
    if (found !== undefined) return found;
    const stat = fs.statSync(path, { bigint: true });
    const file: OpenFileState = { id: this.all.length + 1, pid, fd, link, stat, info };
    this.all.push(file);
    candidates.splice(at, 0, file);
    this.#candidates.set(key, candidates);
    return file;
  }
}

/**
 * Runs `use` with a descriptor of this process for an open file of another: the open file itself, not a
 * copy. Errors: BackendError when the kernel does not give it.
 */
export function borrow<T>({ pid, fd, link }: OpenFileState, use: (fd: number) => T): T {
  const pidfd = call(`reach task ${pid}`, SYS.pidfd_open, pid, 0);
  const own = attempt(SYS.pidfd_getfd, pidfd, fd, 0);
  attempt(SYS.close, pidfd);
  if (own < 0) throw new BackendError(`cannot reach descriptor ${fd} of task ${pid} (${link})`);
  try {
    return use(own);
  } finally {
    attempt(SYS.close, own);
  }
}

/** The same for several at once, in their order. */
export function borrowAll<T>(
  [first, ...others]: readonly OpenFileState[],
  use: (fds: readonly number[]) => T,
): T {
  if (first === undefined) return use([]);
  return borrow(first, (fd) => borrowAll(others, (fds) => use([fd, ...fds])));
}

/** What messages call an open file: by a task that has it, or by the queue of a socket. */
export function openFileName({ pid, fd }: OpenFileState): string {
  return pid === process.pid ? "a file in flight" : `descriptor ${fd} of task ${pid}`;
}

/** What an open file is, by its link and its type. */
export type FileKind =
  | "regular"
  | "directory"
  | "device"
  | "symlink"
  | "terminal"
  | "pipe"
  | "fifo"
  | "socket"
  | "memfd"
  | "eventfd"
  | "eventpoll"
  | "timerfd"
  | "signalfd"
  | "inotify";

const ANONYMOUS: Readonly<Record<string, FileKind>> = {
  "anon_inode:[eventfd]": "eventfd",
  "anon_inode:[eventpoll]": "eventpoll",
  "anon_inode:[timerfd]": "timerfd",
  "anon_inode:[signalfd]": "signalfd",
  "anon_inode:inotify": "inotify",
};

const DELETED = " (deleted)";

/** Undefined for what the slim backend does not know: io_uring, pidfds, bpf … */
export function kindOf({ link, stat, info }: OpenFileState): FileKind | undefined {
  if (link.startsWith("/memfd:")) return "memfd";
  // A pidfd is a regular file of a file system without names, and so is memory of memfd_secret(2).
  if (stat.isFile()) return /^\/(?!secretmem)/.test(link) ? "regular" : undefined;
  if (stat.isDirectory()) return "directory";
  if (stat.isFIFO()) return link.startsWith("pipe:[") ? "pipe" : "fifo";
  // Opened with O_PATH, the file of a unix socket shows its path.
  if (stat.isSocket()) return link.startsWith("socket:[") ? "socket" : undefined;
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isCharacterDevice()) return characterDevice(stat.rdev, info.flags);
  return ANONYMOUS[link];
}

/** Kinds that are known, and that the slim backend has no way to bring back yet. */
const NOT_YET: ReadonlySet<FileKind | undefined> = new Set([undefined]);

export function isSaved(file: OpenFileState): boolean {
  return !NOT_YET.has(kindOf(file));
}

/** Devices without state: null, zero, full, random, urandom; devices.txt of the kernel. */
const STATELESS = new Set([0x103n, 0x105n, 0x107n, 0x108n, 0x109n]);
/** /dev/tty and /dev/ptmx, and the slaves of pseudo terminals. */
const TERMINALS = new Set([0x500n, 0x502n]);

function characterDevice(rdev: bigint, flags: number): FileKind | undefined {
  if (STATELESS.has(rdev) || (flags & O_PATH) !== 0) return "device";
  return TERMINALS.has(rdev) || slaveIndex(Number(rdev)) !== undefined ? "terminal" : undefined;
}

/** The path of an open file without what the kernel puts behind it when the name is gone. */
export function pathOf(file: OpenFileState): string {
  const { link } = file;
  return isUnlinked(file) ? plainName(link) : link;
}

/** What /proc calls a file whose name is gone, without saying so. */
export function plainName(name: string): string {
  return name.slice(0, -DELETED.length);
}

/** Whether no name leads to the file any more under which it was opened. */
export function isUnlinked({ link, stat }: OpenFileState): boolean {
  return isGone(link, stat);
}

/** The same of what /proc calls a file: a name that really ends that way still leads to it. */
export function isGone(name: string, stat: fs.BigIntStats): boolean {
  if (!name.endsWith(DELETED)) return false;
  const there = fs.lstatSync(textToBytes(name), { bigint: true, throwIfNoEntry: false });
  return there?.ino !== stat.ino || there.dev !== stat.dev;
}
