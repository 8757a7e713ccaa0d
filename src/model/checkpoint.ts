import type { ResourceLimit, TaskAttributes, ThreadAttributes } from "./attributes.js";
import type { ControlGroupSet } from "./control-groups.js";
import type { Credentials } from "./credentials.js";
import type { IpcNamespace, UtsNamespace } from "./ipc.js";
import type { Lock } from "./lock.js";
import type { Mapping, MemoryDescriptor } from "./mapping.js";
import type { Memory, StoredMemory } from "./memory.js";
import type { DeletedFile, DescriptorTable, FileTable, OpenFile, PipeBuffer } from "./open-file.js";
import type { Origin } from "./origin.js";
import type { SeccompFilter } from "./seccomp.js";
import type { PendingSignal, SignalState } from "./signals.js";
import type { StoredContents } from "./stored-bytes.js";
import type { Surroundings } from "./surroundings.js";
import type { Timer } from "./timer.js";
import type { X86State } from "./x86-registers.js";

export type TaskState = "alive" | "zombie" | "stopped" | "helper" | "unknown";

/**
 * The neutral checkpoint: what the field calls tasks, descriptors, open files, mappings, locks, sockets and timers,
 * whatever the image format. It is a view of the document: built when asked for, each part with its origin.
 */
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
  /** The ids of processes and threads as they are stored, also those that a damaged image repeats; of a zombie its pid. */
  ids(): Iterable<TaskId>;
  /** All memory that the image or its parents store, each page once. */
  storedMemory(): Iterable<StoredMemory>;
  /** What file systems hold that come back with the tasks, as they are stored. */
  fileSystems(): Iterable<StoredContents>;
  readonly files: FileTable;
  readonly locks: readonly Lock[];
  /** Timers of timerfd_create(2), each once, also those that only a socket's queue or nobody holds. */
  readonly timerfds: readonly Timer[];
  readonly pipes: readonly PipeBuffer[];
  readonly mounts: readonly Mount[];
  readonly deletedFiles: readonly DeletedFile[];
  readonly utsNamespaces: readonly UtsNamespace[];
  readonly ipcNamespaces: readonly IpcNamespace[];
  readonly seccompFilters: readonly SeccompFilter[];
  readonly controlGroupSets: readonly ControlGroupSet[];
  /** What a restore makes anew around the tasks. */
  readonly surroundings: Surroundings;
}

/** An id that a process or thread has. */
export interface TaskId {
  readonly id: number;
  /** Of the process that it belongs to. */
  readonly pid: number;
  readonly origin: Origin;
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
  /** Without the timerfds of its descriptors, which tasks may share: see `taskTimers`. */
  readonly timers: readonly Timer[];
  readonly signals: SignalState;
  /** In the order of the RLIMIT_ numbers, getrlimit(2); all ones is infinity. */
  readonly limits: readonly ResourceLimit[];
  readonly attributes: TaskAttributes;
  /** Undefined for a task without memory, such as a zombie. */
  readonly mm: MemoryDescriptor | undefined;
  /** Pid of the first task with the same address space: of itself, unless tasks share one (CLONE_VM). */
  readonly memoryOf: number;
  /** Made anew each time, with all that it has looked up; undefined for a task without memory, such as a zombie. */
  memory(): Memory | undefined;
  readonly origin: Origin;
}

export interface Thread extends ThreadAttributes {
  readonly tid: number;
  readonly comm: string;
  readonly credentials: Credentials | undefined;
  /** Registers by the architecture's names; on x86 with those of floating point and vectors that are not zero. */
  readonly registers: ReadonlyMap<string, bigint>;
  /** Of x86: all that `registers` is made of, as the processor has it. */
  readonly x86: X86State | undefined;
  /** Of others, by set and name as criu stores them, such as `fpsimd.vregs0`: floating point, vectors, thread pointer. */
  readonly otherRegisters: ReadonlyMap<string, bigint>;
  /** Blocked signals, bit n-1 is signal n. */
  readonly blocked: bigint;
  readonly pending: readonly PendingSignal[];
  /** Id of its set of cgroups(7); undefined for that of whoever restores, and when the image does not say. */
  readonly controlGroupSet: number | undefined;
  /** The groups of that set, each as `controllers:path`; undefined when the image does not say. */
  readonly controlGroups: readonly string[] | undefined;
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
