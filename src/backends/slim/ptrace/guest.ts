import { BackendError } from "../../../io/errors.js";
import type { Area } from "../proc/mappings.js";
import { PAGE_SIZE, SYS, SYSCALL_INSTRUCTION } from "../sys/abi-x64.js";
import type { Registers } from "./registers.js";
import type { Tracee } from "./tracee.js";

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const ALL_BLOCKED = Buffer.alloc(8, 0xff);

/** Calls made by a stopped thread on behalf of crimg, with a scratch area in its memory for what they read and write. */
export class Guest {
  readonly #registers: Registers;
  /** Signals that were blocked before. */
  readonly mask: Buffer;
  #scratch = 0;

  /** `site`: address of a `syscall` instruction in its memory. All signals are held back until `leave`. */
  constructor(
    readonly tracee: Tracee,
    readonly site: number,
    readonly scratchBytes = 4 * PAGE_SIZE,
  ) {
    this.#registers = tracee.registers();
    this.mask = tracee.signalMask();
    tracee.setSignalMask(ALL_BLOCKED);
  }

  /** Address of memory of the thread that nothing else uses, mapped at first use. */
  get scratch(): number {
    if (this.#scratch === 0)
      this.#scratch = this.call(
        "map a scratch area",
        SYS.mmap,
        0,
        this.scratchBytes,
        PROT_READ_WRITE,
        MAP_PRIVATE_ANONYMOUS,
        -1,
        0,
      );
    return this.#scratch;
  }

  call(doing: string, number: number, ...args: readonly (number | bigint)[]): number {
    return this.tracee.call(doing, this.site, number, ...args);
  }

  attempt(number: number, ...args: readonly (number | bigint)[]): number {
    return this.tracee.attempt(this.site, number, ...args);
  }

  /** A call that writes `size` bytes to the address that stands in its arguments as the scratch area; those bytes. */
  fetch(size: number, doing: string, number: number, ...args: readonly (number | bigint)[]): Buffer {
    this.call(doing, number, ...args);
    return this.tracee.read(this.scratch, size);
  }

  /** Puts bytes into the scratch area, `at` bytes behind its start; gives their address. */
  put(bytes: Buffer, at = 0): number {
    this.tracee.write(this.scratch + at, bytes);
    return this.scratch + at;
  }

  /** Takes the scratch area away and puts the registers and the mask back, inside the signal loop. */
  leave(): void {
    if (this.#scratch !== 0)
      this.call("unmap the scratch area", SYS.munmap, this.#scratch, this.scratchBytes);
    this.tracee.enterSignalLoop();
    this.tracee.setRegisters(this.#registers);
    this.tracee.setSignalMask(this.mask);
  }
}

/** Address of a `syscall` instruction in the vDSO. Errors: BackendError for a task without one. */
export function syscallSite(tracee: Tracee, areas: readonly Area[]): number {
  const vdso = areas.find(({ name }) => name === "[vdso]");
  const at = vdso && tracee.read(vdso.start, vdso.end - vdso.start).indexOf(SYSCALL_INSTRUCTION);
  if (vdso === undefined || at === undefined || at < 0)
    throw new BackendError(`task ${tracee.pid} has no vDSO with a system call in it`);
  return vdso.start + at;
}
