import {
  EINTR,
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
} from "../../../linux/errno.js";
import type { RestartableSequences } from "../../../model/attributes.js";
import { SYS } from "../sys/abi-x64.js";
import { ptrace } from "./ptrace.js";
import type { Registers } from "./registers.js";
import type { Tracee } from "./tracee.js";

const SYSCALL_BYTES = 2n;

/** Calls that end with EINTR by any stop, a handler or not: signal(7), "Interruption of system calls … by stop signals". */
const STOPPED_BY_STOPS: ReadonlySet<number> = new Set([
  SYS.epoll_wait,
  SYS.epoll_pwait,
  SYS.epoll_pwait2,
  SYS.rt_sigtimedwait,
  SYS.semop,
  SYS.semtimedop,
]);

/**
 * Registers with which a thread goes on by itself, from anywhere: a call that the stop interrupted is made again. One with
 * a relative timeout begins anew, or, where the kernel has noted the rest in the request itself as for sleep(3), with that.
 */
export function madeAgain(tracee: Tracee, registers: Registers): Registers {
  const number = registers.signed("orig_rax");
  if (number < 0) return registers;
  switch (registers.signed("rax")) {
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
    case -ERESTARTNOHAND:
      return again(registers, number);
    case -ERESTART_RESTARTBLOCK: {
      const first = callNumber(tracee, registers);
      // The kernel has forgotten what restart_syscall(2) would go on with.
      return first === SYS.restart_syscall ? registers.copy().set("rax", -EINTR) : again(registers, first);
    }
    default:
      return registers;
  }
}

function again(registers: Registers, number: number): Registers {
  return registers
    .copy()
    .set("rax", number)
    .set("rip", registers.get("rip") - SYSCALL_BYTES);
}

/**
 * A call that was interrupted before is restart_syscall(2) by now. The instruction before it loaded its number, or where in
 * the kernel it slept tells what it was.
 */
export function callNumber(tracee: Tracee, registers: Registers): number {
  const number = registers.signed("orig_rax");
  if (number !== SYS.restart_syscall) return number;
  const MOV_EAX = 0xb8;
  const code = tracee.read(registers.get("rip") - 7n, 7);
  if (code[0] === MOV_EAX) return code.readUInt32LE(1);
  const { waitChannel } = tracee;
  if (waitChannel === "" || waitChannel === "0") return number;
  if (waitChannel.includes("poll")) return SYS.poll;
  if (waitChannel.includes("futex")) return SYS.futex;
  // Sleeps are all that is left, and they may show the function that entered the kernel.
  return registers.get("rdi") < MIN_ADDRESS ? SYS.clock_nanosleep : SYS.nanosleep;
}

/** Clocks have small numbers; no task can map memory as low: /proc/sys/vm/mmap_min_addr. */
const MIN_ADDRESS = 4096n;

/** Lets a stopped thread not see that the stop ended its call, unless a handler of its own will run. */
export function hideStop(tracee: Tracee): void {
  const registers = tracee.registers();
  if (registers.signed("rax") === -EINTR && STOPPED_BY_STOPS.has(registers.signed("orig_rax")))
    tracee.setRegisters(registers.set("rax", -ERESTARTNOHAND));
}

const CONFIGURATION_BYTES = 24;
/** Offset of rseq_cs in struct rseq, linux/rseq.h. */
const RSEQ_CS = 8n;
const SEQUENCE_BYTES = 32;

/** Undefined for a thread without restartable sequences. */
export function readRseq(tracee: Tracee): Omit<RestartableSequences, "origin"> | undefined {
  const bytes = Buffer.alloc(CONFIGURATION_BYTES);
  ptrace("getRseqConfiguration", tracee.tid, CONFIGURATION_BYTES, bytes);
  const address = bytes.readBigUInt64LE(0);
  if (address === 0n) return undefined;
  return {
    address,
    size: bytes.readUInt32LE(8),
    signature: bytes.readUInt32LE(12),
    section: tracee.read(address + RSEQ_CS, 8).readBigUInt64LE(),
  };
}

/**
 * Registers of a stopped thread as the kernel will make them when it runs on: at the abort handler if it was in a
 * restartable sequence. The kernel looks where it stands, and calls made in between would hide it: rseq_ip_fixup() in kernel/rseq.c.
 */
export function outOfSequence(tracee: Tracee, registers: Registers): Registers {
  const cs = readRseq(tracee)?.section ?? 0n;
  if (cs === 0n) return registers;
  const sequence = tracee.read(cs, SEQUENCE_BYTES);
  const [start, length, abort] = [8, 16, 24].map((at) => sequence.readBigUInt64LE(at)) as [
    bigint,
    bigint,
    bigint,
  ];
  const rip = registers.get("rip");
  return rip >= start && rip < start + length ? registers.copy().set("rip", abort) : registers;
}
