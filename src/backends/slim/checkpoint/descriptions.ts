import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { KCMP_FILE, KCMP_FILES } from "../../../linux/files.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import { type FdInfo, readFdInfo } from "../proc/fdinfo.js";
import { procLink, procNumbers } from "../proc/read.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";

/** One descriptor of a process. */
export interface HeldDescriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly file: OpenFileState;
}

/** An open file description, found by one of the descriptors that lead to it. */
export interface OpenFileState {
  readonly id: number;
  readonly pid: number;
  readonly fd: number;
  /** What the descriptor's link says: a path, `pipe:[N]`, `anon_inode:[eventfd]` … */
  readonly link: string;
  readonly stat: fs.BigIntStats;
  readonly info: FdInfo;
}

/** The descriptors of a tree of stopped processes, with each open file description once, however many share it. */
export class OpenFileStates {
  readonly all: OpenFileState[] = [];
  readonly #candidates = new Map<string, OpenFileState[]>();
  readonly #tables = new Map<number, readonly HeldDescriptor[]>();
  readonly #owners = new Map<number, number>();
  readonly #adopted: number[] = [];

  /** Reads the descriptors of a process; threads share those of their leader. Errors: BackendError when it is gone. */
  add(pid: number): void {
    const same = [...this.#tables.keys()].find(
      (other) => attempt(SYS.kcmp, pid, other, KCMP_FILES, 0, 0) === 0,
    );
    this.#owners.set(pid, same ?? pid);
    if (same !== undefined) return;
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
    const known = candidates.find((each) => attempt(SYS.kcmp, pid, each.pid, KCMP_FILE, fd, each.fd) === 0);
    if (known !== undefined) return known;
    const stat = fs.statSync(path, { bigint: true });
    const file: OpenFileState = { id: this.all.length + 1, pid, fd, link, stat, info };
    this.all.push(file);
    this.#candidates.set(key, [...candidates, file]);
    return file;
  }
}

/**
 * Runs `use` with a descriptor of this process for an open file description of another: the description itself, not a
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
