import {
  PR_GET_PDEATHSIG,
  PR_GET_SECUREBITS,
  PR_GET_TID_ADDRESS,
  PR_GET_TIMERSLACK,
} from "../../../linux/prctl.js";
import { SECCOMP_MODE_FILTER } from "../../../linux/seccomp.js";
import { SIGINFO_BYTES } from "../../../linux/signals.js";
import { readProc } from "../proc/read.js";
import { readStat } from "../proc/stat.js";
import { readStatus, type Status } from "../proc/status.js";
import type { RemoteSyscalls } from "../ptrace/guest.js";
import { ptrace } from "../ptrace/ptrace.js";
import type { Registers } from "../ptrace/registers.js";
import { type RseqState, readRseq } from "../ptrace/rseq.js";
import type { Tracee } from "../ptrace/tracee.js";
import { SYS } from "../sys/abi-x64.js";
import { KernelError } from "../sys/kernel-error.js";
import { attempt } from "../sys/syscall.js";
import { splitXsave, type Xsave } from "../sys/xsave.js";
import { type InterruptedCall, interruptedCall } from "./interrupted-call.js";
import { type SeccompFilter, seccompFilters } from "./seccomp.js";

const SIGINFOS_AT_ONCE = 64;
const PEEK_SHARED = 1;

/** What belongs to one thread. */
export interface ThreadState {
  readonly tid: number;
  readonly comm: string;
  readonly status: Status;
  readonly securebits: number;
  /** The oldest first. */
  readonly filters: readonly SeccompFilter[];
  readonly personality: bigint;
  readonly registers: Registers;
  readonly xsave: Xsave;
  readonly blocked: Buffer;
  /** struct siginfo each, 128 bytes. */
  readonly pending: readonly Buffer[];
  /** stack_t of sigaltstack(2). */
  readonly signalStack: { readonly pointer: bigint; readonly flags: number; readonly size: bigint };
  readonly clearChildTid: bigint;
  readonly deathSignal: number;
  readonly robustList: { readonly head: bigint; readonly size: bigint };
  readonly rseq: RseqState | undefined;
  readonly scheduling: { readonly policy: number; readonly nice: number; readonly priority: number };
  /** In nanoseconds. */
  readonly timerSlack: number;
  readonly interrupted: InterruptedCall | undefined;
}

/** Reads the state of a stopped thread; `guest` makes the calls that only the thread itself can make. */
export function captureThread(
  tracee: Tracee,
  remote: RemoteSyscalls,
  registers: Registers,
  lastRun: number,
): ThreadState {
  const { pid, tid } = tracee;
  const stack = remote.fetch(24, "tell its signal stack", SYS.sigaltstack, 0, remote.scratch);
  const address = remote.fetch(8, "tell its tid address", SYS.prctl, PR_GET_TID_ADDRESS, remote.scratch);
  const death = remote.fetch(4, "tell its death signal", SYS.prctl, PR_GET_PDEATHSIG, remote.scratch);
  const stat = readStat(`${pid}/task/${tid}`);
  const status = readStatus(`${pid}/task/${tid}`);
  return {
    tid,
    comm: readProc(`${pid}/task/${tid}`, "comm").replace(/\n$/, ""),
    status,
    securebits: remote.call("tell its secure bits", SYS.prctl, PR_GET_SECUREBITS),
    filters: status.seccomp === SECCOMP_MODE_FILTER ? seccompFilters(tid) : [],
    personality: BigInt(`0x${readProc(`${pid}/task/${tid}`, "personality").trim()}`),
    registers,
    xsave: splitXsave(tracee.xstate()),
    blocked: remote.mask,
    pending: pendingSignals(tid, false),
    signalStack: {
      pointer: stack.readBigUInt64LE(0),
      flags: stack.readInt32LE(8),
      size: stack.readBigUInt64LE(16),
    },
    clearChildTid: address.readBigUInt64LE(),
    deathSignal: death.readInt32LE(),
    robustList: robustList(tid),
    rseq: readRseq(tracee),
    scheduling: { policy: stat.schedulingPolicy, nice: stat.nice, priority: stat.realtimePriority },
    // Asked of the thread itself: /proc/PID/timerslack_ns needs CAP_SYS_NICE.
    timerSlack: remote.attempt(SYS.prctl, PR_GET_TIMERSLACK),
    interrupted: interruptedCall(tracee, registers, lastRun),
  };
}

/** Queued signals, struct siginfo each: of the thread, or of the whole process. */
export function pendingSignals(tid: number, shared: boolean): Buffer[] {
  const found: Buffer[] = [];
  for (;;) {
    const want = Buffer.alloc(16);
    want.writeBigUInt64LE(BigInt(found.length), 0);
    want.writeUInt32LE(shared ? PEEK_SHARED : 0, 8);
    want.writeInt32LE(SIGINFOS_AT_ONCE, 12);
    const bytes = Buffer.alloc(SIGINFOS_AT_ONCE * SIGINFO_BYTES);
    const count = ptrace("peekSigInfo", tid, want, bytes);
    for (let i = 0; i < count; i++)
      found.push(Buffer.from(bytes.subarray(i * SIGINFO_BYTES, (i + 1) * SIGINFO_BYTES)));
    if (count < SIGINFOS_AT_ONCE) return found;
  }
}

function robustList(tid: number): ThreadState["robustList"] {
  const [head, size] = [Buffer.alloc(8), Buffer.alloc(8)];
  const result = attempt(SYS.get_robust_list, tid, head, size);
  if (result < 0) throw new KernelError(`read the robust futex list of thread ${tid}`, -result);
  return { head: head.readBigUInt64LE(), size: size.readBigUInt64LE() };
}
