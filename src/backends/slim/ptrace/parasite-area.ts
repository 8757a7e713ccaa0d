import { BackendError, isCrimgError } from "../../../io/errors.js";
import { MAP_PRIVATE_ANONYMOUS, PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../../linux/mman.js";
import type { Vma } from "../proc/mappings.js";
import { SYS, SYSCALL_INSTRUCTION } from "../sys/abi-x64.js";
import { usedXsave } from "../sys/xsave.js";
import { type ParasiteLayout, RemoteSyscalls } from "./remote-syscalls.js";
import { FRAME_ALIGNMENT, frameBytes } from "./signal-frame.js";
import type { Tracee } from "./tracee.js";

const PROT_READ_WRITE = PROT_READ | PROT_WRITE;

const SCRATCH_BYTES = 4 * PAGE_SIZE;
/** Room for a signal frame, and below it for a handler that runs on it. */
const FRAME_ROOM = 32 * PAGE_SIZE;
/** With the state of the widest processors. */
const FRAME_BYTES = 5 * PAGE_SIZE;
/** One frame for the leader, one for the thread whose turn it is. */
const FRAMES = 2;
const PARASITE_BYTES = SCRATCH_BYTES + FRAMES * FRAME_ROOM + PAGE_SIZE;
/** Bytes below the stack pointer that are in use: System V ABI for x86-64, 3.2.2. */
const RED_ZONE = 128;

/**
 * Memory in a stopped process where its threads make calls for crimg. The first call, which maps it, and the last, which
 * unmaps it, are made by the leader with its signal frame below its stack; what stood there is put back.
 *
 * A process none of whose files has code to return from a signal handler makes these two calls without a way back: killed
 * within their microseconds, crimg would leave it with the result of the call. It has its way back for all others.
 */
export class ParasiteArea implements ParasiteLayout {
  restorer: number;
  readonly scratch: number;
  readonly leader: RemoteSyscalls;
  readonly #entrance: number;
  readonly #stack: number;
  readonly #underStack: Buffer;

  constructor(tracee: Tracee, vmas: readonly Vma[]) {
    const found = findRestorer(tracee, vmas);
    this.#entrance = found ?? syscallSite(tracee, vmas);
    this.restorer = this.#entrance;
    const size = frameBytes(usedXsave(tracee.xstate()));
    this.#stack = placeOnStack(tracee, vmas, size);
    this.#underStack = tracee.read(this.#stack, size);
    this.leader = new RemoteSyscalls(tracee, this, this.#stack);
    const protection = found === undefined ? PROT_READ_WRITE | PROT_EXEC : PROT_READ_WRITE;
    const scratch = this.leader.attempt(
      SYS.mmap,
      ...[0, PARASITE_BYTES, protection, MAP_PRIVATE_ANONYMOUS, -1, 0],
    );
    if (scratch < 0) this.#leaveStack();
    this.scratch = tracee.succeeded("map a scratch area", scratch);
    if (found === undefined) {
      const own = this.scratch + PARASITE_BYTES - PAGE_SIZE;
      tracee.write(own, RESTORER);
      this.restorer = own;
    }
    this.leader.moveFrame(this.#frame(0));
    tracee.write(this.#stack, this.#underStack);
  }

  /** Lets another thread make calls; it must leave before the next one enters. */
  enter(tracee: Tracee): RemoteSyscalls {
    return new RemoteSyscalls(tracee, this, this.#frame(1));
  }

  /** The process as it was. */
  leave(): void {
    this.restorer = this.#entrance;
    this.leader.moveFrame(this.#stack);
    this.leader.call("unmap the scratch area", SYS.munmap, this.scratch, PARASITE_BYTES);
    this.#leaveStack();
  }

  #leaveStack(): void {
    const { tracee } = this.leader;
    this.leader.leave();
    tracee.write(this.#stack, this.#underStack);
  }

  #frame(index: number): number {
    return this.scratch + SCRATCH_BYTES + (index + 1) * FRAME_ROOM - FRAME_BYTES;
  }
}

/**
 * What `use` gives; whatever becomes of it, the process is left as it was. Where that fails as well, the threads find back
 * by themselves once they are let go.
 */
export function useAndLeave<T>(entered: { leave(): void }, use: () => T): T {
  let result: T;
  try {
    result = use();
  } catch (error) {
    try {
      entered.leave();
    } catch (second) {
      // It ended: the first error says why.
      if (!isCrimgError(second)) throw second;
    }
    throw error;
  }
  entered.leave();
  return result;
}

/** Below the red zone if its stack is an ordinary one, else where other stacks and heaps are the least likely to be in use. */
function placeOnStack(tracee: Tracee, vmas: readonly Vma[], size: number): number {
  const rsp = Number(tracee.registers().get("rsp"));
  const below = Math.floor((rsp - RED_ZONE - size) / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
  const writable = vmas.filter(
    ({ start, end, permissions }) =>
      permissions.startsWith("rw") && permissions[3] === "p" && end - start > size,
  );
  const stack = writable.find(({ name }) => name === "[stack]");
  if (stack !== undefined && below >= stack.start && below < stack.end) return below;
  const lowest = stack ?? writable.at(-1);
  if (lowest === undefined) throw new BackendError(`task ${tracee.pid} has no memory of its own`);
  return lowest.start;
}

/** `mov $15, %rax; syscall`: rt_sigreturn(2) as C libraries and Go have it for their signal handlers to return to. */
const RESTORER = Buffer.from("48c7c00f0000000f05", "hex");
const CHUNK = 1 << 20;
const LIKELY = /\/(libc[.-]|ld-musl)/;

/** Address of code of the process that returns from a signal handler; undefined when its files have none. */
function findRestorer(tracee: Tracee, vmas: readonly Vma[]): number | undefined {
  const code = vmas.filter(({ permissions, inode }) => permissions[2] === "x" && inode !== 0);
  for (const { start, end } of code.sort((a, b) => Number(LIKELY.test(b.name)) - Number(LIKELY.test(a.name))))
    for (let from = start; from < end; from += CHUNK) {
      const bytes = tracee.read(from, Math.min(CHUNK + RESTORER.length - 1, end - from));
      const at = bytes.indexOf(RESTORER);
      if (at >= 0) return from + at;
    }
  return undefined;
}

/** Address of a `syscall` instruction in the vDSO. Errors: BackendError for a task without one. */
export function syscallSite(tracee: Tracee, vmas: readonly Vma[]): number {
  const vdso = vmas.find(({ name }) => name === "[vdso]");
  const at = vdso && tracee.read(vdso.start, vdso.end - vdso.start).indexOf(SYSCALL_INSTRUCTION);
  if (vdso === undefined || at === undefined || at < 0)
    throw new BackendError(`task ${tracee.pid} has no vDSO with a system call in it`);
  return vdso.start + at;
}
