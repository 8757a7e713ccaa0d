import { ptrace } from "./ptrace.js";
import type { Registers } from "./registers.js";
import type { Tracee } from "./tracee.js";

const CONFIGURATION_BYTES = 24;
/** Offset of rseq_cs in struct rseq, linux/rseq.h. */
const RSEQ_CS = 8n;
const SEQUENCE_BYTES = 32;

/** struct ptrace_rseq_configuration, and the critical section that the thread says it is in. */
export interface RseqState {
  readonly pointer: bigint;
  readonly size: number;
  readonly signature: number;
  /** Address of its struct rseq_cs, 0 for none. */
  readonly cs: bigint;
}

/** Undefined for a thread without restartable sequences. */
export function readRseq(tracee: Tracee): RseqState | undefined {
  const bytes = Buffer.alloc(CONFIGURATION_BYTES);
  ptrace("getRseqConfiguration", tracee.tid, CONFIGURATION_BYTES, bytes);
  const pointer = bytes.readBigUInt64LE(0);
  if (pointer === 0n) return undefined;
  return {
    pointer,
    size: bytes.readUInt32LE(8),
    signature: bytes.readUInt32LE(12),
    cs: tracee.read(pointer + RSEQ_CS, 8).readBigUInt64LE(),
  };
}

/**
 * Registers of a stopped thread as the kernel will make them when it runs on: at the abort handler if it was in a
 * restartable sequence. The kernel looks where it stands, and calls made in between would hide it: rseq_ip_fixup() in kernel/rseq.c.
 */
export function outOfSequence(tracee: Tracee, registers: Registers): Registers {
  const cs = readRseq(tracee)?.cs ?? 0n;
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
