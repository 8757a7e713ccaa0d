import { F_DUPFD_CLOEXEC } from "../../../linux/files.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import { SYS } from "../sys/abi-x64.js";
import type { RemoteTask } from "./remote-task.js";

/** Above what the image uses, below the limit that Node raises for itself. */
export const MIN_HIGH_FD = 3000;

/** Gives a task under construction the descriptors that crimg has opened: the same open files. */
export class FdTransfer {
  private constructor(
    readonly remote: RemoteTask,
    /** Where crimg is reached, and what is kept, by the descriptor of crimg: one table, however many tasks have it. */
    readonly table: { readonly pidfd: number; readonly kept: Map<number, number> },
  ) {}

  /** Closes whatever the task had open. `above`: the highest descriptor that the image uses. */
  static open(remote: RemoteTask, above: number): FdTransfer {
    remote.call("close the descriptors of the stub", SYS.close_range, 0, 0xffff_ffff, 0);
    const low = remote.call("open a pidfd of crimg", SYS.pidfd_open, process.pid, 0);
    const least = Math.max(MIN_HIGH_FD, above + 1);
    const pidfd = remote.call("make room for descriptors", SYS.fcntl, low, F_DUPFD_CLOEXEC, least);
    remote.call("close a descriptor", SYS.close, low);
    return new FdTransfer(remote, { pidfd, kept: new Map() });
  }

  /** For a task that shares the table of descriptors. */
  for(remote: RemoteTask): FdTransfer {
    return new FdTransfer(remote, this.table);
  }

  /** A descriptor of crimg becomes one of the task; the kernel chooses the number. */
  take(own: number): number {
    return this.remote.call("take a descriptor", SYS.pidfd_getfd, this.table.pidfd, own, 0);
  }

  /** A descriptor of crimg becomes the descriptor `fd` of the task, which must not be in use. */
  place(own: number, fd: number, closeOnExec: boolean): void {
    const taken = this.take(own);
    if (taken !== fd) {
      this.remote.call(`place descriptor ${fd}`, SYS.dup3, taken, fd, closeOnExec ? O_CLOEXEC : 0);
      this.remote.call("close a descriptor", SYS.close, taken);
    } else if (!closeOnExec) this.remote.call("keep a descriptor over exec", SYS.fcntl, fd, 2, 0);
  }

  /** Runs `use` with a descriptor that the task has only meanwhile. */
  lend<T>(own: number, use: (fd: number) => T): T {
    const taken = this.take(own);
    try {
      return use(taken);
    } finally {
      this.remote.call("close a descriptor", SYS.close, taken);
    }
  }

  /** A descriptor of crimg that the task has until `end`, at a number that its image does not use. */
  keep(own: number): number {
    let kept = this.table.kept.get(own);
    if (kept === undefined) {
      const taken = this.take(own);
      kept = this.remote.call("move a descriptor", SYS.fcntl, taken, F_DUPFD_CLOEXEC, this.table.pidfd + 1);
      this.remote.call("close a descriptor", SYS.close, taken);
      this.table.kept.set(own, kept);
    }
    return kept;
  }

  end(): void {
    for (const fd of [...this.table.kept.values(), this.table.pidfd])
      this.remote.call("close a descriptor", SYS.close, fd);
    this.table.kept.clear();
  }
}
