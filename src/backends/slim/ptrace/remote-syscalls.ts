import { SYS } from "../sys/abi-x64.js";
import { usedXsave } from "../sys/xsave.js";
import type { Registers } from "./registers.js";
import { madeAgain, outOfSequence } from "./restart.js";
import { type Continuation, signalFrame } from "./signal-frame.js";
import type { Tracee } from "./tracee.js";

const ALL_BLOCKED = Buffer.alloc(8, 0xff);

/** Where it makes its calls. */
export interface ParasiteLayout {
  /** Memory of the process that nothing else uses. */
  readonly scratch: number;
  /** Code that makes a thread return through its signal frame. */
  readonly restorer: number;
}

/**
 * Calls made by a stopped thread on behalf of crimg. Meanwhile it stands at the entry of rt_sigreturn(2), with a signal frame
 * in its memory that holds all it is to go on with; a call is made by putting it in the place of that one, and returns to
 * code that leads there again. Whenever crimg is killed the kernel lets the thread go, and it goes back by itself.
 */
export class RemoteSyscalls {
  /** As they are to be when it runs on. */
  readonly registers: Registers;
  /** Signals that were blocked before. All are held back until `leave`. */
  readonly mask: Buffer;
  #frame = 0;

  /** `frame`: where the signal frame can stand, with room for others below. */
  constructor(
    readonly tracee: Tracee,
    readonly parasite: ParasiteLayout,
    frame: number,
  ) {
    this.registers = outOfSequence(tracee, tracee.registers());
    this.mask = tracee.signalMask();
    this.#write(frame);
    tracee.setRegisters(this.#returning);
    tracee.setSignalMask(ALL_BLOCKED);
    tracee.runToCall();
  }

  /** Address of memory of the process that nothing else uses. */
  get scratch(): number {
    return this.parasite.scratch;
  }

  /** Where it would find the way back from here on. */
  moveFrame(frame: number): void {
    this.#write(frame);
    this.tracee.setRegisters(this.#returning.set("orig_rax", SYS.rt_sigreturn));
  }

  /** A call; the result, or -errno. */
  attempt(number: number, ...args: readonly (number | bigint)[]): number {
    const { tracee } = this;
    tracee.setRegisters(this.#returning.set("orig_rax", number).setArguments(args));
    tracee.runToCall();
    const result = tracee.registers().signed("rax");
    tracee.setRegisters(this.#returning);
    tracee.runToCall();
    return result;
  }

  /** The same, for calls that are to succeed. Errors: BackendError naming the task and the errno. */
  call(doing: string, number: number, ...args: readonly (number | bigint)[]): number {
    return this.tracee.succeeded(doing, this.attempt(number, ...args));
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

  /** Puts the registers and the mask back, inside the signal loop, where the kernel still knows what it waited for. */
  leave(): void {
    const { tracee } = this;
    tracee.setRegisters(this.#returning);
    tracee.enterSignalLoop();
    // In this order: registers alone would go on with all signals blocked.
    tracee.setSignalMask(this.mask);
    tracee.setRegisters(this.registers);
  }

  #write(frame: number): void {
    const { tracee, mask } = this;
    const back: Continuation = {
      registers: madeAgain(tracee, this.registers),
      xstate: usedXsave(tracee.xstate()),
      mask,
    };
    tracee.write(frame, signalFrame(back, frame));
    this.#frame = frame;
  }

  /** About to return through the frame. */
  get #returning(): Registers {
    return this.registers
      .copy()
      .set("rip", this.parasite.restorer)
      .set("rax", SYS.rt_sigreturn)
      .set("orig_rax", -1)
      .set("rsp", this.#frame + 8);
  }
}
