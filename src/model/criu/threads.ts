import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { type CoreEntry, SECCOMP_MODE, type TaskCoreEntry } from "../../formats/criu/tables/core.js";
import type { CredsEntry } from "../../formats/criu/tables/creds.js";
import type { SaEntry } from "../../formats/criu/tables/sigaction.js";
import type { SiginfoEntry } from "../../formats/criu/tables/siginfo.js";
import { enumName } from "../../schema/enums.js";
import type {
  Credentials,
  Origin,
  PendingSignal,
  SignalState,
  Thread,
  ThreadAddresses,
} from "../checkpoint.js";
import { lazy } from "../lazy.js";
import { criuX86Registers } from "./x86-registers.js";

/** A thread whose core image is read at the first look at it. */
export function criuThread(set: CriuImageSet, pid: number, tid: number): Thread {
  const core = lazy(() => set.first(IMAGES.CORE, tid));
  const credentials = lazy(() => {
    const own = core()?.thread_core?.creds;
    return own === undefined
      ? credentialsOf(set.first(IMAGES.CREDS, pid), { image: `creds-${pid}.img`, record: 0 })
      : credentialsOf(own, { image: `core-${tid}.img`, record: 0, field: "thread_core.creds" });
  });
  const registers = lazy(() => registersOf(core()));
  return {
    tid,
    get comm() {
      return core()?.thread_core?.comm ?? core()?.tc?.comm ?? "";
    },
    get credentials() {
      return credentials();
    },
    get registers() {
      return registers();
    },
    get blocked() {
      return core()?.thread_core?.blk_sigset ?? core()?.tc?.blk_sigset ?? 0n;
    },
    get pending() {
      const queue = core()?.thread_core?.signals_p?.signals;
      return (queue ?? set.records(IMAGES.PSIGNAL, tid).map(({ value }) => value)).map(pendingSignal);
    },
    get seccomp() {
      const mode = core()?.thread_core?.seccomp_mode ?? core()?.tc?.old_seccomp_mode;
      return mode === undefined ? undefined : enumName(SECCOMP_MODE, mode);
    },
    get schedule() {
      const { sched_policy: policy, sched_nice: nice, sched_prio: priority } = core()?.thread_core ?? {};
      return policy === undefined ? undefined : { policy, nice: nice ?? 0, priority: priority ?? 0 };
    },
    get rseq() {
      return rseqOf(core());
    },
    get addresses() {
      return addressesOf(core());
    },
    get deathSignal() {
      return core()?.thread_core?.pdeath_sig ?? 0;
    },
    get controlGroups() {
      // Since criu 3.18 each thread has its own set, before that the task.
      const id = core()?.thread_core?.cg_set ?? core()?.tc?.cg_set;
      const own = set.first(IMAGES.CGROUP)?.sets.find((each) => each.id === id);
      return own?.ctls.map(({ name, path }) => `${name}:${path}`);
    },
    origin: { image: `core-${tid}.img`, record: 0 },
  };
}

/** SS_DISABLE of sigaltstack(2). */
const NO_STACK = 2;

function addressesOf(core: CoreEntry | undefined): ThreadAddresses {
  const { futex_rla: robustList = 0n, sas } = core?.thread_core ?? {};
  const info = core?.thread_info as { readonly clear_tid_addr?: bigint } | undefined;
  const hasStack = sas !== undefined && (sas.ss_flags & NO_STACK) === 0 && sas.ss_size !== 0n;
  return {
    clearTid: info?.clear_tid_addr ?? 0n,
    robustList,
    signalStack: hasStack ? { start: sas.ss_sp, end: sas.ss_sp + sas.ss_size } : undefined,
  };
}

/** criu stores an entry of zeros for a thread that registered none. */
function rseqOf(core: CoreEntry | undefined): Thread["rseq"] {
  const entry = core?.thread_core?.rseq_entry;
  if (entry === undefined || entry.rseq_abi_pointer === 0n) return undefined;
  return {
    address: entry.rseq_abi_pointer,
    size: entry.rseq_abi_size,
    signature: entry.signature,
  };
}

/** Signal actions and the task's queue; sets before criu 3.1 keep the actions in sigacts-PID.img. */
export function criuSignals(set: CriuImageSet, pid: number, core: TaskCoreEntry | undefined): SignalState {
  const stored = core?.sigactions ?? [];
  const actions = stored.length > 0 ? stored : set.records(IMAGES.SIGACT, pid).map(({ value }) => value);
  const queue = core?.signals_s?.signals ?? set.records(IMAGES.SIGNAL, pid).map(({ value }) => value);
  return { actions: actions.map(signalAction), pending: queue.map(pendingSignal) };
}

const SIGKILL = 9;
const SIGSTOP = 19;

/** Actions are stored in signal order without SIGKILL and SIGSTOP, which have none. */
function signalAction(entry: SaEntry, index: number): SignalState["actions"][number] {
  let signal = index + 1;
  if (signal >= SIGKILL) signal++;
  if (signal >= SIGSTOP) signal++;
  return { signal, handler: entry.sigaction, flags: entry.flags, mask: entry.mask };
}

/** siginfo_t starts with si_signo, si_errno, si_code (x86 and most others; sigaction(2)). */
function pendingSignal(entry: SiginfoEntry): PendingSignal {
  const { siginfo } = entry;
  return {
    signal: siginfo.length >= 4 ? siginfo.readInt32LE(0) : 0,
    code: siginfo.length >= 12 ? siginfo.readInt32LE(8) : 0,
    siginfo,
  };
}

function credentialsOf(entry: CredsEntry | undefined, origin: Origin): Credentials | undefined {
  if (entry === undefined) return undefined;
  return {
    uid: entry.uid,
    gid: entry.gid,
    euid: entry.euid,
    egid: entry.egid,
    suid: entry.suid,
    sgid: entry.sgid,
    fsuid: entry.fsuid,
    fsgid: entry.fsgid,
    groups: entry.groups,
    inheritable: mask(entry.cap_inh),
    permitted: mask(entry.cap_prm),
    effective: mask(entry.cap_eff),
    bounding: mask(entry.cap_bnd),
    ambient: mask(entry.cap_amb),
    securebits: entry.secbits,
    noNewPrivs: entry.no_new_privs === 1,
    lsmProfile: entry.lsm_profile,
    origin,
  };
}

/** Capability sets are stored as 32-bit words, the low one first. */
function mask(words: readonly number[]): bigint {
  return words.reduceRight((value, word) => (value << 32n) | BigInt(word), 0n);
}

/** General registers of whichever architecture the core image carries. On x86 `mode` stands among them and is none. */
function registersOf(core: CoreEntry | undefined): ReadonlyMap<string, bigint> {
  const info =
    core?.thread_info ??
    core?.ti_aarch64 ??
    core?.ti_arm ??
    core?.ti_ppc64 ??
    core?.ti_s390 ??
    core?.ti_mips ??
    core?.ti_loongarch64 ??
    core?.ti_riscv64;
  const registers = new Map<string, bigint>();
  const general = (info as { gpregs?: Record<string, unknown> } | undefined)?.gpregs ?? {};
  for (const [name, value] of Object.entries(general)) {
    if (name === "mode") continue;
    if (typeof value === "bigint" || typeof value === "number") registers.set(name, BigInt(value));
    else if (Array.isArray(value))
      for (const [i, item] of value.entries()) registers.set(`${name}${i}`, BigInt(item as number | bigint));
  }
  const fpregs = core?.thread_info?.fpregs;
  if (fpregs !== undefined)
    for (const [name, value] of criuX86Registers(fpregs).entries()) registers.set(name, value);
  return registers;
}
