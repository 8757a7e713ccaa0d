import type { IpcNamespace, UtsNamespace } from "./ipc.js";
import type { Lock } from "./lock.js";
import type { Memory } from "./memory.js";
import type { DeletedFile, DescriptorTable, FileTable, OpenFile, PipeBuffer } from "./open-file.js";
import type { Surroundings } from "./surroundings.js";

export type {
  DeletedFile,
  Descriptor,
  DescriptorTable,
  FileOwner,
  FileTable,
  OpenFile,
  PipeBuffer,
} from "./open-file.js";

/**
 * The neutral checkpoint: what the field calls tasks, descriptors, open files, mappings, locks, sockets and timers,
 * whatever the image format. It is a view of the document: built when asked for, each part with its origin.
 */

/** Where in the image a value came from: image file, record index and (when it is one field) the field's path. */
export interface Origin {
  readonly image: string;
  readonly record: number;
  readonly field?: string;
}

export type TaskState = "alive" | "zombie" | "stopped" | "helper" | "unknown";

export interface Checkpoint {
  /** Instruction set of the dumped tasks in the kernel's spelling, as `uname -m` prints it; `unknown` if not stored. */
  readonly architecture: string;
  /** Bytes of a page; images do not record it: the saved pages tell it, else it is the architecture's usual one. */
  readonly pageSize: number;
  /** In the order of the process tree image: a parent stands before its children. */
  readonly tasks: readonly Task[];
  /** Of each task that a damaged image has with the pid of one before it, which is left out: that pid. */
  readonly repeatedPids: readonly number[];
  task(pid: number): Task | undefined;
  readonly files: FileTable;
  readonly locks: readonly Lock[];
  readonly pipes: readonly PipeBuffer[];
  readonly mounts: readonly Mount[];
  readonly deletedFiles: readonly DeletedFile[];
  readonly utsNamespaces: readonly UtsNamespace[];
  readonly ipcNamespaces: readonly IpcNamespace[];
  /** What a restore makes anew around the tasks. */
  readonly surroundings: Surroundings;
}

export interface Task {
  readonly pid: number;
  /** 0 for the root of the tree. */
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly state: TaskState;
  /** Wait status of a zombie, as wait(2) gives it. */
  readonly exitStatus: number | undefined;
  /** Name of the task, proc(5) `comm`. */
  readonly comm: string;
  /** The leader first. Empty for a zombie. */
  readonly threads: readonly Thread[];
  readonly children: readonly Task[];
  readonly descriptors: DescriptorTable | undefined;
  readonly exe: OpenFile | undefined;
  readonly cwd: OpenFile | undefined;
  readonly root: OpenFile | undefined;
  readonly umask: number | undefined;
  /** Ascending by address; guard areas after all others. */
  readonly mappings: readonly Mapping[];
  readonly timers: readonly Timer[];
  readonly signals: SignalState;
  /** In the order of the RLIMIT_ numbers, getrlimit(2); all ones is infinity. */
  readonly limits: readonly ResourceLimit[];
  readonly attributes: TaskAttributes;
  /** Undefined for a task without memory, such as a zombie. */
  readonly mm: MemoryDescriptor | undefined;
  /** Made anew each time, with all that it has looked up; undefined for a task without memory, such as a zombie. */
  memory(): Memory | undefined;
  readonly origin: Origin;
}

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
}

export interface Thread {
  readonly tid: number;
  readonly comm: string;
  readonly credentials: Credentials | undefined;
  /** Registers by the architecture's names; on x86 with those of floating point and vectors that are not zero. */
  readonly registers: ReadonlyMap<string, bigint>;
  /** Blocked signals, bit n-1 is signal n. */
  readonly blocked: bigint;
  readonly pending: readonly PendingSignal[];
  /** seccomp(2) mode: `disabled`, `strict`, `filter`; undefined if not stored. */
  readonly seccomp: string | undefined;
  readonly schedule: Schedule | undefined;
  readonly addresses: ThreadAddresses;
  /** Signal that it gets when its parent ends, prctl(2); 0 for none. */
  readonly deathSignal: number;
  /** Area that the thread registered with rseq(2); undefined when it has none. */
  readonly rseq: RestartableSequences | undefined;
  /** cgroups(7) that it is in, each as `controllers:path`; undefined when the image does not say. */
  readonly controlGroups: readonly string[] | undefined;
  readonly origin: Origin;
}

/** Addresses that the kernel keeps for a thread; 0 for none. */
export interface ThreadAddresses {
  /** Where the kernel writes 0 when the thread ends, set_tid_address(2). */
  readonly clearTid: bigint;
  /** Head of the list of robust futexes, get_robust_list(2). */
  readonly robustList: bigint;
  /** sigaltstack(2) */
  readonly signalStack: AddressRange | undefined;
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
}

export interface ResourceLimit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** What a task does with signals, sigaction(2). */
export interface SignalState {
  readonly actions: readonly SignalAction[];
  /** Signals pending for the whole task. */
  readonly pending: readonly PendingSignal[];
}

export interface SignalAction {
  readonly signal: number;
  /** Address of the handler, 0 for SIG_DFL, 1 for SIG_IGN. */
  readonly handler: bigint;
  readonly flags: bigint;
  readonly mask: bigint;
}

export interface PendingSignal {
  readonly signal: number;
  readonly code: number;
  readonly siginfo: Buffer;
}

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly suid: number;
  readonly sgid: number;
  readonly fsuid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Capability masks, capabilities(7); bit n is capability n. */
  readonly inheritable: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly securebits: number;
  readonly noNewPrivs: boolean;
  readonly lsmProfile: string | undefined;
  /** The record of the credentials, and its field when they stand inside another. */
  readonly origin: Origin;
}

/** Addresses [start, end). */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Where the kernel keeps what of a program, as /proc/PID/stat shows it; prctl(2) PR_SET_MM sets it. */
export interface MemoryDescriptor {
  readonly code: AddressRange;
  readonly data: AddressRange;
  /** From the start of the heap to brk(2). */
  readonly heap: AddressRange;
  readonly argv: AddressRange;
  readonly environ: AddressRange;
  readonly startStack: bigint;
  readonly origin: Origin;
}

export type MappingKind =
  | "file"
  | "anonymous"
  | "shared anonymous"
  | "memfd"
  | "SysV"
  | "socket"
  | "vdso"
  | "vvar"
  | "vsyscall"
  | "guard"
  | "aio";

export interface Mapping extends AddressRange {
  /** `rwxp` or `rwxs`, as proc(5) maps shows it. */
  readonly permissions: string;
  readonly shared: boolean;
  readonly kind: MappingKind;
  readonly file: OpenFile | undefined;
  /** Offset in the file in bytes. */
  readonly offset: bigint;
  /** Segment of shared memory, memfd or SysV; undefined for others. */
  readonly shmid: bigint | undefined;
  /** Path, or `[heap]`, `[stack]`, `[vdso]` …; empty for plain anonymous memory. */
  readonly name: string;
  readonly origin: Origin;
}

/** The last three are the time limits of calls that the checkpoint interrupted. */
export type TimerKind = "real" | "virtual" | "prof" | "posix" | "timerfd" | "nanosleep" | "poll" | "futex";

/** Times in nanoseconds, counted from the start of the checkpoint. */
export interface Timer {
  readonly kind: TimerKind;
  /** POSIX timer id, the id of the timerfd's open file, or the thread that made the interrupted call. */
  readonly id: number | undefined;
  /** Time left; 0 when not armed. */
  readonly left: bigint;
  readonly interval: bigint;
  readonly clock: number | undefined;
  readonly signal: number | undefined;
  readonly overrun: bigint;
  readonly origin: Origin;
}

export interface Mount {
  readonly namespace: number;
  readonly id: number;
  readonly parentId: number;
  readonly mountpoint: string;
  readonly root: string;
  readonly fileSystem: string;
  readonly source: string;
  /** MS_ bits of mount(2). */
  readonly flags: number;
  readonly options: string;
  readonly externalKey: string | undefined;
  readonly sharedId: number;
  readonly masterId: number;
  readonly origin: Origin;
}
