import {
  PR_GET_CHILD_SUBREAPER,
  PR_GET_DUMPABLE,
  PR_GET_MDWE,
  PR_GET_THP_DISABLE,
} from "../../../linux/prctl.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import { MEMBARRIER_CMD_GET_REGISTRATIONS } from "../../../linux/sched.js";
import { NSIG } from "../../../linux/signals.js";
import { NSEC_PER_SEC, NSEC_PER_USEC } from "../../../linux/time.js";
import { readVmas, type Vma } from "../proc/mappings.js";
import { procBytes, procLink, readProc } from "../proc/read.js";
import { readTimers, type TimerLine } from "../proc/timers.js";
import type { RemoteSyscalls } from "../ptrace/guest.js";
import { ParasiteArea } from "../ptrace/lodging.js";
import { SYS } from "../sys/abi-x64.js";
import type { FrozenProcess } from "./freeze.js";
import { captureThread, pendingSignals, type ThreadState } from "./thread.js";

const SIGACTION_BYTES = 32;

/** Times in nanoseconds; 0 left is a timer that is not armed. */
export interface TimerTimes {
  readonly left: bigint;
  readonly interval: bigint;
}

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
  readonly intervalTimers: {
    readonly real: TimerTimes;
    readonly virtual: TimerTimes;
    readonly prof: TimerTimes;
  };
  readonly timers: readonly (TimerLine & TimerTimes & { readonly overrun: number })[];
  readonly limits: readonly { readonly soft: bigint; readonly hard: bigint }[];
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
  // What the calls below map must not be among the areas.
  const vmas = readVmas(pid);
  const parasite = new ParasiteArea(leader, vmas);
  const capture = (remote: RemoteSyscalls): ThreadState =>
    captureThread(remote.tracee, remote, remote.registers, frozen.lastRun.get(remote.tracee.tid) ?? 0);
  const threads = [capture(parasite.leader)];
  const own = captureOwn(parasite.leader, pid);
  for (const tracee of tracees.slice(1)) {
    const remote = parasite.enter(tracee);
    threads.push(capture(remote));
    remote.leave();
  }
  // Where anything failed before, the threads find back by themselves once they are let go.
  parasite.leave();
  return {
    frozen,
    threads,
    vmas,
    ...own,
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
  | "intervalTimers"
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
        SIGACTION_BYTES,
        `tell its action for signal ${signal}`,
        SYS.rt_sigaction,
        signal,
        0,
        remote.scratch,
        8,
      ),
    );
  const interval = (which: number): TimerTimes => {
    const bytes = remote.fetch(32, "tell an interval timer", SYS.getitimer, which, remote.scratch);
    return times(bytes, NSEC_PER_USEC);
  };
  return {
    actions,
    intervalTimers: { real: realTimer(interval(0)), virtual: interval(1), prof: interval(2) },
    timers: readTimers(pid).map((timer) => ({
      ...timer,
      ...times(remote.fetch(32, "tell a POSIX timer", SYS.timer_gettime, timer.id, remote.scratch), 1n),
      overrun: Math.max(0, remote.attempt(SYS.timer_getoverrun, timer.id)),
    })),
    limits: limitsOf(remote),
    brk: remote.call("tell its program break", SYS.brk, 0),
    dumpable: remote.attempt(SYS.prctl, PR_GET_DUMPABLE),
    membarriers: Math.max(0, remote.attempt(SYS.membarrier, MEMBARRIER_CMD_GET_REGISTRATIONS, 0, 0)),
    denied: Math.max(0, remote.attempt(SYS.prctl, PR_GET_MDWE)),
    isSubreaper:
      remote
        .fetch(4, "tell whether it reaps orphans", SYS.prctl, PR_GET_CHILD_SUBREAPER, remote.scratch)
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
    const bytes = remote.fetch(16, "tell its limits", SYS.prlimit64, 0, resource, 0, remote.scratch);
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
