import type { AddressRange, Origin } from "./origin.js";

/** What a task was told about itself, by prctl(2) and in /proc; undefined where the image does not store it. */
export interface TaskAttributes {
  readonly oomScoreAdj: number | undefined;
  /** Audit user id; all ones when not set. */
  readonly loginUid: number | undefined;
  readonly childSubreaper: boolean | undefined;
  /** Signal that stopped a stopped task. */
  readonly stopSignal: number | undefined;
  /** personality(2) bits. */
  readonly personality: bigint | undefined;
  /** Registrations of membarrier(2). */
  readonly membarrier: number | undefined;
}

/** What the kernel keeps for each thread besides registers, signals and credentials. */
export interface ThreadAttributes {
  /** seccomp(2) mode: `disabled`, `strict`, `filter`, else its number; undefined if not stored. */
  readonly seccomp: string | undefined;
  /** Id of the last filter that it installed; undefined for none. */
  readonly seccompFilter: number | undefined;
  readonly schedule: Schedule | undefined;
  readonly addresses: ThreadAddresses;
  /** Signal that it gets when its parent ends, prctl(2); 0 for none. */
  readonly deathSignal: number;
  /** Area that the thread registered with rseq(2); undefined or with address 0, as criu stores it, when it has none. */
  readonly rseq: RestartableSequences | undefined;
}

/** Addresses that the kernel keeps for a thread; 0 for none. */
export interface ThreadAddresses {
  /** Where the kernel writes 0 when the thread ends, set_tid_address(2). */
  readonly clearTid: bigint;
  /** Head of the list of robust futexes, get_robust_list(2). */
  readonly robustList: bigint;
  readonly robustListBytes: number;
  /** sigaltstack(2) */
  readonly signalStack: SignalStack | undefined;
}

export interface SignalStack extends AddressRange {
  /** SS_ bits. */
  readonly flags: number;
}

/** sched(7) */
export interface Schedule {
  readonly policy: number;
  readonly nice: number;
  readonly priority: number;
}

export interface RestartableSequences {
  readonly address: bigint;
  /** In bytes. */
  readonly size: number;
  readonly signature: number;
  /** Critical section that the thread was in; 0 for none. */
  readonly section: bigint;
  readonly origin: Origin;
}

export interface ResourceLimit {
  readonly soft: bigint;
  readonly hard: bigint;
  /** Of the soft limit. */
  readonly origin: Origin;
}
