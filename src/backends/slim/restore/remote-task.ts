import { BackendError } from "../../../io/errors.js";
import {
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE_ANONYMOUS,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  TASK_SIZE,
} from "../../../linux/mman.js";
import type { ImageVma } from "../memory/image.js";
import type { Tracee } from "../ptrace/tracee.js";
import { SYS, SYSCALL_INSTRUCTION } from "../sys/abi-x64.js";

/** Room for iovecs and what calls read and write. */
const SCRATCH_BYTES = 128 * 1024;
const CODE_BYTES = PAGE_SIZE;
const WORK_BYTES = SCRATCH_BYTES + CODE_BYTES;
const MIN_ADDRESS = 0x1000_0000;
/** Pages kept free around it: a stack below may grow, and the kernel keeps a gap of a MiB under one. */
const MARGIN = 4 * 1024 * 1024;

/** An address where no VMA of any address space stands. Errors: BackendError when there is none. */
export function freeAddress(spaces: readonly (readonly ImageVma[])[]): number {
  const vmas = spaces.flat().sort((a, b) => a.start - b.start);
  let at = MIN_ADDRESS;
  for (const { start, end } of vmas) {
    if (start >= at + WORK_BYTES + 2 * MARGIN) break;
    at = Math.max(at, end);
  }
  if (at + WORK_BYTES + 2 * MARGIN > TASK_SIZE)
    throw new BackendError("the address spaces of the checkpoint leave no room to work in");
  return at + MARGIN;
}

/** Calls made by a task under construction, from code and scratch memory at a place that its image does not use. */
export class RemoteTask {
  readonly site: number;

  constructor(
    readonly tracee: Tracee,
    /** Start of the work area. */
    readonly base: number,
  ) {
    this.site = base + SCRATCH_BYTES;
  }

  /** Maps the work area in a stub process and takes everything else away. */
  static establish(tracee: Tracee, stubSite: number, base: number): RemoteTask {
    const map = (at: number, size: number, protection: number): void => {
      tracee.call(
        "map a work area",
        stubSite,
        SYS.mmap,
        at,
        size,
        protection,
        MAP_PRIVATE_ANONYMOUS | MAP_FIXED_NOREPLACE,
        -1,
        0,
      );
    };
    map(base, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
    map(base + SCRATCH_BYTES, CODE_BYTES, PROT_READ | PROT_EXEC);
    const remote = new RemoteTask(tracee, base);
    tracee.write(remote.site, SYSCALL_INSTRUCTION);
    remote.call("unmap the stub", SYS.munmap, 0, base);
    remote.call("unmap the stub", SYS.munmap, base + WORK_BYTES, TASK_SIZE - base - WORK_BYTES);
    return remote;
  }

  /** The same place in a task that was cloned from this one. */
  for(tracee: Tracee): RemoteTask {
    return new RemoteTask(tracee, this.base);
  }

  get scratch(): number {
    return this.base;
  }

  call(doing: string, number: number, ...args: readonly (number | bigint)[]): number {
    return this.tracee.call(doing, this.site, number, ...args);
  }

  attempt(number: number, ...args: readonly (number | bigint)[]): number {
    return this.tracee.attempt(this.site, number, ...args);
  }

  /** Puts bytes into the scratch area; gives their address. */
  put(bytes: Buffer, at = 0): number {
    this.tracee.write(this.scratch + at, bytes);
    return this.scratch + at;
  }

  /** Takes the work area away by a call from elsewhere: `site` is a `syscall` instruction of the restored task. */
  remove(site: number): void {
    this.tracee.call("unmap the work area", site, SYS.munmap, this.base, WORK_BYTES);
  }
}
