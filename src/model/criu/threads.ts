import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CoreEntry, TaskCoreEntry } from "../../formats/criu/tables/core.js";
import type { CredsEntry } from "../../formats/criu/tables/creds.js";
import type { SaEntry } from "../../formats/criu/tables/sigaction.js";
import type { SiginfoEntry } from "../../formats/criu/tables/siginfo.js";
import { enumName } from "../../io/enums.js";
import { SECCOMP_MODES } from "../../linux/seccomp.js";
import { SIGKILL, SIGSTOP, SS_DISABLE } from "../../linux/signals.js";
import { UNKNOWN } from "../../schema/message.js";
import type {
  Credentials,
  Origin,
  PendingSignal,
  SignalState,
  Thread,
  ThreadAddresses,
} from "../checkpoint.js";
import { taskEntries } from "./task-entries.js";
import { criuX86Registers } from "./x86-registers.js";

/** A thread whose core image is read at the first look at it. A class: a damaged tree names 100,000 of them. */
export class CriuThread implements Thread {
  readonly #set: CriuImageSet;
  readonly #pid: number;
  #core: { readonly is: CoreEntry | undefined } | undefined;
  #registers: ReadonlyMap<string, bigint> | undefined;

  constructor(
    set: CriuImageSet,
    pid: number,
    readonly tid: number,
  ) {
    this.#set = set;
    this.#pid = pid;
  }

  get comm(): string {
    return this.#read()?.thread_core?.comm ?? this.#read()?.tc?.comm ?? "";
  }

  get credentials(): Credentials | undefined {
    const own = this.#read()?.thread_core?.creds;
    return own === undefined
      ? credentialsOf(this.#set.first(IMAGES.CREDS, this.#pid), {
          image: `creds-${this.#pid}.img`,
          record: 0,
        })
      : credentialsOf(own, { ...this.origin, field: "thread_core.creds" });
  }

  get registers(): ReadonlyMap<string, bigint> {
    this.#registers ??= registersOf(this.#read());
    return this.#registers;
  }

  get blocked(): bigint {
    return this.#read()?.thread_core?.blk_sigset ?? this.#read()?.tc?.blk_sigset ?? 0n;
  }

  get pending(): readonly PendingSignal[] {
    const queue = this.#read()?.thread_core?.signals_p?.signals;
    return (queue ?? this.#set.records(IMAGES.PSIGNAL, this.tid).map(({ value }) => value)).map(
      pendingSignal,
    );
  }

  get seccomp(): string | undefined {
    const mode = this.#read()?.thread_core?.seccomp_mode ?? this.#read()?.tc?.old_seccomp_mode;
    return mode === undefined ? undefined : enumName(SECCOMP_MODES, mode);
  }

  get schedule(): Thread["schedule"] {
    const { sched_policy: policy, sched_nice: nice, sched_prio: priority } = this.#read()?.thread_core ?? {};
    return policy === undefined ? undefined : { policy, nice: nice ?? 0, priority: priority ?? 0 };
  }

  get rseq(): Thread["rseq"] {
    return rseqOf(this.#read());
  }

  get addresses(): ThreadAddresses {
    return addressesOf(this.#read());
  }

  get deathSignal(): number {
    return this.#read()?.thread_core?.pdeath_sig ?? 0;
  }

  get controlGroups(): readonly string[] | undefined {
    // Since criu 3.18 each thread has its own set, before that the task.
    const id = this.#read()?.thread_core?.cg_set ?? this.#read()?.tc?.cg_set;
    return id === undefined ? undefined : controlGroupsOf(this.#set).get(id);
  }

  get origin(): Thread["origin"] {
    return { image: `core-${this.tid}.img`, record: 0 };
  }

  #read(): CoreEntry | undefined {
    this.#core ??= { is: this.#set.first(IMAGES.CORE, this.tid) };
    return this.#core.is;
  }
}

const controlGroups = new WeakMap<CriuImageSet, ReadonlyMap<number, readonly string[]>>();

/** The groups of each set of cgroup.img, read once for all threads; of sets with one id the first. */
function controlGroupsOf(set: CriuImageSet): ReadonlyMap<number, readonly string[]> {
  let groups = controlGroups.get(set);
  if (groups === undefined) {
    const sets = [...(set.first(IMAGES.CGROUP)?.sets ?? [])].reverse();
    groups = new Map(sets.map(({ id, ctls }) => [id, ctls.map(({ name, path }) => `${name}:${path}`)]));
    controlGroups.set(set, groups);
  }
  return groups;
}

function addressesOf(core: CoreEntry | undefined): ThreadAddresses {
  const { futex_rla: robustList = 0n, sas } = core?.thread_core ?? {};
  const info = core?.thread_info as { readonly clear_tid_addr?: bigint } | undefined;
  const hasStack = sas !== undefined && (sas.ss_flags & SS_DISABLE) === 0 && sas.ss_size !== 0n;
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
  const all = stored.length > 0 ? stored : set.records(IMAGES.SIGACT, pid).map(({ value }) => value);
  const actions = taskEntries(set, pid, "signal actions", all);
  const queue = core?.signals_s?.signals ?? set.records(IMAGES.SIGNAL, pid).map(({ value }) => value);
  return { actions: actions.map(signalAction), pending: queue.map(pendingSignal) };
}

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
    inheritable: capabilityMask(entry.cap_inh),
    permitted: capabilityMask(entry.cap_prm),
    effective: capabilityMask(entry.cap_eff),
    bounding: capabilityMask(entry.cap_bnd),
    ambient: capabilityMask(entry.cap_amb),
    securebits: entry.secbits,
    noNewPrivs: entry.no_new_privs === 1,
    lsmProfile: entry.lsm_profile,
    origin,
  };
}

/** Capability sets are stored as two 32-bit words, the low one first; criu looks at no more of them. */
export function capabilityMask([low = 0, high = 0]: readonly number[]): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** What stands among the general registers and is none: of x86 the mode, of all the fields that no table knows. */
const NO_REGISTERS: ReadonlySet<string> = new Set(["mode", UNKNOWN]);

/** General registers of whichever architecture the core image carries. */
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
    if (NO_REGISTERS.has(name)) continue;
    if (typeof value === "bigint" || typeof value === "number") registers.set(name, BigInt(value));
    else if (Array.isArray(value))
      for (const [i, item] of value.entries()) registers.set(`${name}${i}`, BigInt(item as number | bigint));
  }
  const fpregs = core?.thread_info?.fpregs;
  if (fpregs !== undefined)
    for (const [name, value] of criuX86Registers(fpregs).entries()) registers.set(name, value);
  return registers;
}
