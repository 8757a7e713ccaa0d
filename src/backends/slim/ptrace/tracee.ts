/** Tracing of tasks and calls made by stopped ones: nothing of images or of single objects. */

import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { SIGSTOP, SIGTRAP } from "../../../linux/signals.js";
import { readStat } from "../proc/stat.js";
import { NT_X86_XSTATE, SYS } from "../sys/abi-x64.js";
import { errnoName, KernelError } from "../sys/kernel-error.js";
import { addressOf, attempt } from "../sys/syscall.js";
import { OPTION, ptrace, type Request } from "./ptrace.js";
import { Registers } from "./registers.js";
import { poll, type Status, waitFor } from "./wait.js";

/** Set by PTRACE_O_TRACESYSGOOD in the signal of a stop at a system call. */
const SYSCALL_STOP = SIGTRAP | 0x80;
const EVENT_STOP = 128;
/** A stop comes within microseconds, unless the thread sleeps where no signal wakes it. */
const STOP_SECONDS = 10;
const XSTATE_BYTES = 16384;

/** A thread that this process traces, ptrace(2). It must be used by the thread that made it. */
export class Tracee {
  /** Signal whose group stop it stands in, as SIGSTOP; 0 for none. */
  stopSignal = 0;
  /** Gets a line for every call that it makes for crimg. */
  log: ((line: string) => void) | undefined;
  /** Function of the kernel in which it slept before it was stopped, proc_pid_wchan(5); empty when it ran. */
  waitChannel = "";
  #memory: number | undefined;
  /** A SIGSTOP came while it worked for crimg. */
  #isToStop = false;

  constructor(
    /** Thread group, whose memory it uses. */
    readonly pid: number,
    readonly tid: number,
  ) {}

  /** Begins to trace a running thread; it runs on. Errors: KernelError EPERM, ESRCH. */
  static seize(pid: number, tid: number, options: number): Tracee {
    ptrace("seize", tid, 0, options);
    return new Tracee(pid, tid);
  }

  /**
   * Stops the thread inside the kernel's signal loop, where registers that are written back decide how an interrupted
   * call goes on. Signals that arrive meanwhile are delivered. Errors: BackendError when it ends or does not stop.
   */
  stop(): void {
    ptrace("interrupt", this.tid);
    this.awaitStop();
  }

  /** Waits for the stop that PTRACE_INTERRUPT, or being made by a traced thread, brings. */
  awaitStop(): void {
    for (;;) {
      const status = this.#wait("stop");
      if (status.event === EVENT_STOP) {
        this.stopSignal = status.signal === SIGTRAP ? 0 : status.signal;
        return;
      }
      const isSignal = status.event === 0 && status.signal !== SYSCALL_STOP;
      ptrace("cont", this.tid, 0, isSignal ? status.signal : 0);
    }
  }

  registers(): Registers {
    const registers = new Registers();
    ptrace("getRegs", this.tid, 0, registers.bytes);
    return registers;
  }

  setRegisters(registers: Registers): void {
    ptrace("setRegs", this.tid, 0, registers.bytes);
  }

  /** FP and extended state as XSAVE keeps it: the standard format of the processor. */
  xstate(): Buffer {
    const bytes = Buffer.alloc(XSTATE_BYTES);
    const vector = iovec(bytes);
    ptrace("getRegSet", this.tid, NT_X86_XSTATE, vector);
    return bytes.subarray(0, Number(vector.readBigUInt64LE(8)));
  }

  setXstate(bytes: Buffer): void {
    ptrace("setRegSet", this.tid, NT_X86_XSTATE, iovec(bytes));
  }

  /** Blocked signals as the task will see them, 8 bytes: bit n-1 is signal n. */
  signalMask(): Buffer {
    const mask = Buffer.alloc(8);
    ptrace("getSigMask", this.tid, mask.length, mask);
    return mask;
  }

  setSignalMask(mask: Buffer): void {
    ptrace("setSigMask", this.tid, mask.length, mask);
  }

  /**
   * Lets the stopped thread make a system call: `site` is the address of a `syscall` instruction in its memory.
   * It goes from the stop at entry to the stop at exit, which no signal action notices. The result, or -errno.
   */
  attempt(site: number, number: number, ...args: readonly (number | bigint)[]): number {
    this.begin(site, number, ...args);
    return this.result();
  }

  /** Begins such a call, which goes on by itself until its `result` is asked for. */
  begin(site: number, number: number, ...args: readonly (number | bigint)[]): void {
    this.#prepare(site, number, args);
    this.runToCall();
    ptrace("syscall", this.tid);
  }

  /** The result, or -errno, of the call that was begun, which is waited for. */
  result(): number {
    this.#awaitCall();
    return this.registers().signed("rax");
  }

  /** The same, for calls that are to succeed. Errors: BackendError naming the task and the errno. */
  call(doing: string, site: number, number: number, ...args: readonly (number | bigint)[]): number {
    return this.succeeded(doing, this.attempt(site, number, ...args));
  }

  /** The result of a call of this task unless it is an error. Errors: BackendError naming the task and the errno. */
  succeeded(doing: string, result: number): number {
    const isError = result < 0 && result > -4096;
    this.log?.(`task ${this.tid}: ${doing}: ${isError ? errnoName(-result) : logText(result)}`);
    if (isError) throw new BackendError(`task ${this.tid} cannot ${doing}: ${errnoName(-result)}`);
    return result;
  }

  /**
   * Lets the thread make a call that waits, and stops it while it does, in the signal loop. Gives what the kernel left as
   * the result: ERESTART_RESTARTBLOCK when it will go on waiting, or that of a call that was over at once.
   */
  block(site: number, [number = 0, ...args]: readonly (number | bigint)[]): number {
    this.#prepare(site, number, args);
    this.runToCall();
    ptrace("syscall", this.tid);
    const isOver = waitFor(`thread ${this.tid} neither waits nor returns`, STOP_SECONDS, () => {
      if (poll(this.tid) !== undefined) return true;
      return readStat(`${this.pid}/task/${this.tid}`).state === "S" ? false : undefined;
    });
    if (!isOver) {
      ptrace("interrupt", this.tid);
      this.#wait("stop in a call");
    }
    const result = this.registers().signed("rax");
    // The stop at the end of the call has used up the interrupt.
    this.enterSignalLoop();
    return result;
  }

  /** Makes a call that does not return: exit_group(2). Waits until the task is gone. */
  end(site: number, number: number, ...args: readonly number[]): void {
    this.#prepare(site, number, args);
    this.#go(0);
  }

  /** Ends by a signal that it does not handle, as a task that was killed. */
  endBy(signal: number): void {
    this.setSignalMask(Buffer.alloc(8));
    this.#go(signal);
  }

  #go(signal: number): void {
    this.closeMemory();
    ptrace("cont", this.tid, 0, signal);
    waitFor(`task ${this.tid} does not end`, STOP_SECONDS, () => {
      const status = poll(this.tid);
      if (status?.kind === "stopped") ptrace("cont", this.tid, 0, status.event === 0 ? status.signal : 0);
      return status?.kind === "gone" ? true : undefined;
    });
  }

  #prepare(site: number, number: number | bigint, args: readonly (number | bigint)[]): void {
    this.setRegisters(
      this.registers().set("rip", site).set("rax", number).set("orig_rax", -1).setArguments(args),
    );
  }

  /** Resumes it until it stops at the entry of a call, or from there at the end of that call. */
  runToCall(): void {
    ptrace("syscall", this.tid);
    this.#awaitCall();
  }

  #awaitCall(): void {
    for (;;) {
      const { signal, event } = this.#wait("make a call");
      if (signal === SYSCALL_STOP && event === 0) return;
      // It cannot be blocked, and it does not count before crimg lets go.
      if (event === 0 && signal === SIGSTOP) this.#isToStop = true;
      // A group stop or an interrupt may report once more, and so does a task that makes another.
      else if (event === 0)
        throw new BackendError(`task ${this.tid} stopped by signal ${signal}, event ${event}, during a call`);
      ptrace("syscall", this.tid);
    }
  }

  /** Resumes it until what it does by itself stops it: a breakpoint, an event. Gives that stop. */
  run(
    request: Extract<Request, "cont" | "syscall"> = "cont",
    signal = 0,
  ): Extract<Status, { kind: "stopped" }> {
    ptrace(request, this.tid, 0, signal);
    return this.#wait("go on");
  }

  /** Back into the signal loop from wherever it stopped. */
  enterSignalLoop(): void {
    ptrace("interrupt", this.tid);
    ptrace("cont", this.tid);
    this.awaitStop();
  }

  /** It no longer ends with crimg, though it is still traced. */
  outlive(): void {
    ptrace("setOptions", this.tid, 0, OPTION.sysGood);
  }

  /** Enters the group stop of SIGSTOP, in which it is again when it is let go; until then it works as before. */
  enterGroupStop(): void {
    attempt(SYS.kill, this.pid, SIGSTOP);
    do {
      ptrace("cont", this.tid);
      this.awaitStop();
    } while (this.stopSignal === 0);
  }

  /** Ends tracing; the thread goes on. */
  detach(signal = 0): void {
    this.closeMemory();
    if (this.#isToStop) attempt(SYS.kill, this.pid, SIGSTOP);
    ptrace("detach", this.tid, 0, signal);
  }

  read(address: number | bigint, size: number): Buffer {
    const bytes = Buffer.alloc(size);
    let got = 0;
    while (got < size) {
      const n = fs.readSync(this.#memoryFile(), bytes, got, size - got, BigInt(address) + BigInt(got));
      if (n === 0) throw new BackendError(`task ${this.pid} has no memory at 0x${address.toString(16)}`);
      got += n;
    }
    return bytes;
  }

  write(address: number | bigint, bytes: Buffer): void {
    let done = 0;
    while (done < bytes.length)
      done += fs.writeSync(
        this.#memoryFile(),
        bytes,
        done,
        bytes.length - done,
        Number(BigInt(address) + BigInt(done)),
      );
  }

  closeMemory(): void {
    if (this.#memory !== undefined) fs.closeSync(this.#memory);
    this.#memory = undefined;
  }

  #memoryFile(): number {
    this.#memory ??= fs.openSync(`/proc/${this.pid}/mem`, "r+");
    return this.#memory;
  }

  #wait(what: string): Extract<Status, { kind: "stopped" }> {
    const status = waitFor(`thread ${this.tid} does not ${what}`, STOP_SECONDS, () => poll(this.tid));
    if (status.kind === "gone")
      throw new BackendError(`thread ${this.tid} ended while it was to ${what}`, {
        cause: new KernelError("wait", 3),
      });
    return status;
  }
}

/** A result as a person reads it: numbers as they are, addresses in hex. */
function logText(result: number): string {
  if (result === 0) return "done";
  return result >= 0x1_0000 ? `0x${result.toString(16)}` : String(result);
}

/** struct iovec over these bytes. */
function iovec(bytes: Buffer): Buffer {
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(addressOf(bytes), 0);
  vector.writeBigUInt64LE(BigInt(bytes.length), 8);
  return vector;
}
