/**
 * Processes and threads: ids, sessions, groups, registers, scheduling, interrupted calls. Signals, timers, credentials,
 * seccomp filters and memory have folders of their own for what a restore does with them.
 */

import { SIGACTION } from "../../../formats/linux-cr/tables/signals.js";
import {
  PR_GET_CHILD_SUBREAPER,
  PR_GET_DUMPABLE,
  PR_GET_MDWE,
  PR_GET_PDEATHSIG,
  PR_GET_SECUREBITS,
  PR_GET_THP_DISABLE,
  PR_GET_TID_ADDRESS,
  PR_GET_TIMERSLACK,
} from "../../../linux/prctl.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import { MEMBARRIER_CMD_GET_REGISTRATIONS } from "../../../linux/sched.js";
import { SECCOMP_MODE_FILTER } from "../../../linux/seccomp.js";
import { NSIG, SIGINFO_BYTES, SS_DISABLE } from "../../../linux/signals.js";
import { NSEC_PER_SEC, NSEC_PER_USEC } from "../../../linux/time.js";
import type {
  ResourceLimit,
  RestartableSequences,
  Schedule,
  SignalStack,
  ThreadAddresses,
} from "../../../model/attributes.js";
import { INTERVAL_TIMERS, PLAIN_TIMER, type Timer } from "../../../model/timer.js";
import type { ExtendedState } from "../../../model/x86-registers.js";
import { readVmas, type Vma } from "../proc/mappings.js";
import { procBytes, procLink, readProc } from "../proc/read.js";
import { readStat } from "../proc/stat.js";
import { readStatus, type Status } from "../proc/status.js";
import { readTimers } from "../proc/timers.js";
import { ParasiteArea, useAndLeave } from "../ptrace/parasite-area.js";
import { ptrace } from "../ptrace/ptrace.js";
import type { Registers } from "../ptrace/registers.js";
import type { RemoteSyscalls } from "../ptrace/remote-syscalls.js";
import { readRseq } from "../ptrace/restart.js";
import type { Tracee } from "../ptrace/tracee.js";
import { type SeccompFilter, seccompFilters } from "../seccomp/capture.js";
import { SYS } from "../sys/abi-x64.js";
import { KernelError } from "../sys/kernel-error.js";
import { attempt } from "../sys/syscall.js";
import { splitXsave } from "../sys/xsave.js";
import type { FrozenProcess } from "./freeze.js";
import { type InterruptedCall, interruptedCall } from "./interrupted-call.js";

type TimerTimes = Pick<Timer, "left" | "interval">;

/** What belongs to a whole process, and its threads. */
export interface ProcessState {
  readonly frozen: FrozenProcess;
  readonly threads: readonly ThreadState[];
  readonly vmas: readonly Vma[];
  readonly auxv: Buffer;
  readonly brk: number;
  /** struct sigaction of the kernel each, 32 bytes, signal 1 first. */
  readonly actions: readonly Buffer[];
  /** Queued for the whole process, struct siginfo each. */
  readonly pending: readonly Buffer[];
  /** Of setitimer(2) and timer_create(2). */
  readonly timers: readonly Omit<Timer, "origin">[];
  readonly limits: readonly Omit<ResourceLimit, "origin">[];
  readonly dumpable: number;
  /** Commands of membarrier(2) that it has registered for. */
  readonly membarriers: number;
  /** PR_GET_MDWE of prctl(2): what its memory may not become. */
  readonly denied: number;
  readonly isSubreaper: boolean;
  readonly thpDisabled: boolean;
  readonly oomScoreAdjust: number;
  readonly loginUid: number;
  readonly exe: string;
  readonly cwd: string;
  readonly root: string;
}

/** Reads all of a stopped process but its descriptors and the contents of its memory. Errors: BackendError. */
export function captureProcess(frozen: FrozenProcess): ProcessState {
  const { stat, threads: tracees } = frozen;
  const { pid } = stat;
  const [leader] = tracees;
  if (leader === undefined) throw new Error(`task ${pid} is a zombie`);
  // What the calls below map must not be among the VMAs.
  const vmas = readVmas(pid);
  const parasite = new ParasiteArea(leader, vmas);
  const capture = (remote: RemoteSyscalls): ThreadState =>
    captureThread(remote.tracee, remote, remote.registers, frozen.lastRun.get(remote.tracee.tid));
  const asked = useAndLeave(parasite, () => {
    const threads = [capture(parasite.leader)];
    const own = captureOwn(parasite.leader, pid);
    for (const tracee of tracees.slice(1)) {
      const remote = parasite.enter(tracee);
      threads.push(useAndLeave(remote, () => capture(remote)));
    }
    return { ...own, threads };
  });
  return {
    frozen,
    vmas,
    ...asked,
    auxv: procBytes(pid, "auxv"),
    pending: pendingSignals(pid, true),
    oomScoreAdjust: Number(readProc(pid, "oom_score_adj")),
    loginUid: loginUidOf(pid),
    exe: procLink(pid, "exe"),
    cwd: procLink(pid, "cwd"),
    root: procLink(pid, "root"),
  };
}

type Own = Pick<
  ProcessState,
  | "actions"
  | "limits"
  | "timers"
  | "brk"
  | "dumpable"
  | "membarriers"
  | "denied"
  | "isSubreaper"
  | "thpDisabled"
>;

/** What the process alone can tell. */
function captureOwn(remote: RemoteSyscalls, pid: number): Own {
  const actions: Buffer[] = [];
  for (let signal = 1; signal <= NSIG; signal++)
    actions.push(
      remote.fetch(
        SIGACTION.size,
        `read its action for signal ${signal}`,
        SYS.rt_sigaction,
        signal,
        0,
        remote.scratch,
        8,
      ),
    );
  const interval = (which: number): TimerTimes => {
    const bytes = remote.fetch(32, "read an interval timer", SYS.getitimer, which, remote.scratch);
    return times(bytes, NSEC_PER_USEC);
  };
  return {
    actions,
    timers: [
      ...INTERVAL_TIMERS.map((kind, which) => {
        const read = interval(which);
        return { ...PLAIN_TIMER, kind, ...(kind === "real" ? realTimer(read) : read) };
      }),
      ...readTimers(pid).map(({ id, clock, notify, signal, value, target }) => ({
        ...{ ...PLAIN_TIMER, kind: "posix" as const, id, clock },
        ...times(remote.fetch(32, "read a POSIX timer", SYS.timer_gettime, id, remote.scratch), 1n),
        overrun: BigInt(Math.max(0, remote.attempt(SYS.timer_getoverrun, id))),
        notice: { how: notify, signal, value, thread: target },
      })),
    ],
    limits: limitsOf(remote),
    brk: remote.call("read its program break", SYS.brk, 0),
    dumpable: remote.attempt(SYS.prctl, PR_GET_DUMPABLE),
    membarriers: Math.max(0, remote.attempt(SYS.membarrier, MEMBARRIER_CMD_GET_REGISTRATIONS, 0, 0)),
    denied: Math.max(0, remote.attempt(SYS.prctl, PR_GET_MDWE)),
    isSubreaper:
      remote
        .fetch(4, "read its child subreaper flag", SYS.prctl, PR_GET_CHILD_SUBREAPER, remote.scratch)
        .readInt32LE() !== 0,
    thpDisabled: remote.attempt(SYS.prctl, PR_GET_THP_DISABLE) === 1,
  };
}

/** struct itimerval or itimerspec: interval, then what is left, each in seconds and a fraction of `unit` ns. */
function times(bytes: Buffer, unit: bigint): TimerTimes {
  const at = (offset: number): bigint =>
    bytes.readBigInt64LE(offset) * NSEC_PER_SEC + bytes.readBigInt64LE(offset + 8) * unit;
  return { interval: at(0), left: at(16) };
}

/** With its signal queued a periodic timer says that nothing is left; it would be disarmed if that were set. */
function realTimer(timer: TimerTimes): TimerTimes {
  return timer.left === 0n && timer.interval > 0n ? { ...timer, left: timer.interval } : timer;
}

/** Asked of the process itself: prlimit(2) of another user's process needs CAP_SYS_RESOURCE. */
function limitsOf(remote: RemoteSyscalls): ProcessState["limits"] {
  return Array.from({ length: RLIM_NLIMITS }, (_, resource) => {
    const bytes = remote.fetch(16, "read its limits", SYS.prlimit64, 0, resource, 0, remote.scratch);
    return { soft: bytes.readBigUInt64LE(0), hard: bytes.readBigUInt64LE(8) };
  });
}

/** The login uid, 0xffffffff for none: kernels without auditing have no such file. */
export function loginUidOf(pid: number): number {
  try {
    return Number(readProc(pid, "loginuid"));
  } catch {
    return 0xffff_ffff;
  }
}

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
  readonly extended: ExtendedState;
  readonly blocked: Buffer;
  /** struct siginfo each, 128 bytes. */
  readonly pending: readonly Buffer[];
  readonly addresses: ThreadAddresses;
  readonly deathSignal: number;
  readonly rseq: Omit<RestartableSequences, "origin"> | undefined;
  readonly schedule: Schedule;
  /** In nanoseconds. */
  readonly timerSlack: number;
  readonly interrupted: InterruptedCall | undefined;
}

/** Reads the state of a stopped thread; `remote` makes the calls that only the thread itself can make. */
function captureThread(
  tracee: Tracee,
  remote: RemoteSyscalls,
  registers: Registers,
  lastRun: number | undefined,
): ThreadState {
  const { pid, tid } = tracee;
  const stack = remote.fetch(24, "read its signal stack", SYS.sigaltstack, 0, remote.scratch);
  const address = remote.fetch(8, "read its tid address", SYS.prctl, PR_GET_TID_ADDRESS, remote.scratch);
  const death = remote.fetch(4, "read its death signal", SYS.prctl, PR_GET_PDEATHSIG, remote.scratch);
  const stat = readStat(`${pid}/task/${tid}`);
  const status = readStatus(`${pid}/task/${tid}`);
  return {
    tid,
    comm: readProc(`${pid}/task/${tid}`, "comm").replace(/\n$/, ""),
    status,
    securebits: remote.call("read its secure bits", SYS.prctl, PR_GET_SECUREBITS),
    filters: status.seccomp === SECCOMP_MODE_FILTER ? seccompFilters(tid) : [],
    personality: BigInt(`0x${readProc(`${pid}/task/${tid}`, "personality").trim()}`),
    registers,
    extended: splitXsave(tracee.xstate()),
    blocked: remote.mask,
    pending: pendingSignals(tid, false),
    addresses: {
      clearTid: address.readBigUInt64LE(),
      ...robustList(tid),
      signalStack: signalStackOf(stack),
    },
    deathSignal: death.readInt32LE(),
    rseq: readRseq(tracee),
    schedule: { policy: stat.schedulingPolicy, nice: stat.nice, priority: stat.realtimePriority },
    // Asked of the thread itself: /proc/PID/timerslack_ns needs CAP_SYS_NICE.
    timerSlack: remote.attempt(SYS.prctl, PR_GET_TIMERSLACK),
    interrupted: interruptedCall(tracee, registers, lastRun),
  };
}

/** Queued signals, struct siginfo each: of the thread, or of the whole process. */
function pendingSignals(tid: number, shared: boolean): Buffer[] {
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

/** stack_t of sigaltstack(2). */
function signalStackOf(bytes: Buffer): SignalStack | undefined {
  const [start, flags] = [bytes.readBigUInt64LE(0), bytes.readInt32LE(8)];
  if ((flags & SS_DISABLE) !== 0) return undefined;
  return { start, end: start + bytes.readBigUInt64LE(16), flags };
}

function robustList(tid: number): Pick<ThreadAddresses, "robustList" | "robustListBytes"> {
  const [head, size] = [Buffer.alloc(8), Buffer.alloc(8)];
  const result = attempt(SYS.get_robust_list, tid, head, size);
  if (result < 0) throw new KernelError(`read the robust futex list of thread ${tid}`, -result);
  return { robustList: head.readBigUInt64LE(), robustListBytes: Number(size.readBigUInt64LE()) };
}
