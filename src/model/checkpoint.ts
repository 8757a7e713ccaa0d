import type { Memory } from "./memory.js";

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
  task(pid: number): Task | undefined;
  readonly files: FileTable;
  readonly locks: readonly Lock[];
  readonly pipes: readonly PipeBuffer[];
  readonly mounts: readonly Mount[];
  readonly deletedFiles: readonly DeletedFile[];
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
  readonly argvArea: AddressRange | undefined;
  readonly environArea: AddressRange | undefined;
  /** Made anew each time, with all that it has looked up; undefined for a task without memory, such as a zombie. */
  memory(): Memory | undefined;
  readonly origin: Origin;
}

export interface Thread {
  readonly tid: number;
  readonly comm: string;
  readonly credentials: Credentials | undefined;
  /** Registers by the architecture's names. */
  readonly registers: ReadonlyMap<string, bigint>;
  /** Blocked signals, bit n-1 is signal n. */
  readonly blocked: bigint;
  readonly pending: readonly PendingSignal[];
  /** seccomp(2) mode: `disabled`, `strict`, `filter`; undefined if not stored. */
  readonly seccomp: string | undefined;
  readonly origin: Origin;
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
}

/** Addresses [start, end). */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** One table of descriptors; tasks that were made with CLONE_FILES share it. */
export interface DescriptorTable {
  readonly id: number;
  readonly descriptors: readonly Descriptor[];
}

export interface Descriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly type: string;
  readonly fileId: number;
  /** Undefined when the set has no such open file: a damaged set. */
  readonly file: OpenFile | undefined;
  readonly origin: Origin;
}

/** All open file descriptions. Ids are unique over the types in sets of criu 3.4 and later, only within a type before. */
export interface FileTable {
  readonly all: readonly OpenFile[];
  /** By id, and by type where ids may repeat. */
  get(id: number, type?: string): OpenFile | undefined;
}

/** An open file description: what dup(2) and fork(2) share. Types as CRIU names them: REG, PIPE, UNIXSK … */
export interface OpenFile {
  readonly id: number;
  readonly type: string;
  /** Absolute path for what has one in the file system. */
  readonly path: string | undefined;
  /** What a person would call it: the path, `pipe:[id]`, `TCP 127.0.0.1:80` … */
  readonly label: string;
  /** fcntl(F_GETFL) flags, numbers of the dumped architecture. */
  readonly flags: number | undefined;
  /** Offset in bytes; undefined when it has none or must not be sought. */
  readonly position: bigint | undefined;
  /** Size and st_mode at the checkpoint, where the image kept them for the check at restart. */
  readonly size: bigint | undefined;
  readonly mode: number | undefined;
  /** GNU build id of an ELF file as hexadecimal text. */
  readonly buildId: string | undefined;
  readonly socket: Socket | undefined;
  /** Equal for the two ends of a pipe or fifo. */
  readonly pipeId: number | undefined;
  readonly deleted: DeletedFile | undefined;
  /** The format's own record of this type, with the fields that only that family knows. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
}

export interface Socket {
  readonly family: string;
  readonly type: string;
  readonly protocol: string;
  readonly state: string;
  readonly inode: number;
  /** `address:port`, a path, `@name` for an abstract name; empty when unnamed. */
  readonly local: string;
  readonly remote: string;
  readonly localPort: number | undefined;
  readonly remotePort: number | undefined;
  readonly backlog: number | undefined;
  /** Inode of the other end of a unix socket; 0 for none. */
  readonly peerInode: number | undefined;
  readonly peer: OpenFile | undefined;
  /** A TCP connection that needs its peer's state kept. */
  readonly connected: boolean;
  /** Bytes and messages that wait in the socket, where the image keeps them beside it. */
  readonly queued?:
    | { readonly received: number; readonly unsent: number; readonly packets: number }
    | undefined;
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

export type LockKind = "posix" | "flock" | "ofd" | "lease";

export interface Lock {
  readonly kind: LockKind;
  /** For a lease that is being broken: what it becomes. */
  readonly type: "read" | "write" | "unlock" | "unknown";
  readonly breaking: boolean;
  readonly pid: number;
  readonly fd: number;
  readonly start: bigint;
  /** 0 reaches to the end of the file. */
  readonly length: bigint;
  readonly file: OpenFile | undefined;
  readonly origin: Origin;
}

export type TimerKind = "real" | "virtual" | "prof" | "posix" | "timerfd";

/** Times in nanoseconds, counted from the start of the checkpoint. */
export interface Timer {
  readonly kind: TimerKind;
  /** POSIX timer id, or the id of the timerfd's open file. */
  readonly id: number | undefined;
  /** Time left; 0 when not armed. */
  readonly left: bigint;
  readonly interval: bigint;
  readonly clock: number | undefined;
  readonly signal: number | undefined;
  readonly overrun: bigint;
  readonly origin: Origin;
}

/** Bytes that stood in a pipe or fifo. */
export interface PipeBuffer {
  readonly pipeId: number;
  readonly kind: "pipe" | "fifo";
  readonly bytes: number;
  /** Capacity in bytes, 0 when not stored. */
  readonly capacity: number;
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

/** A path that was gone at the checkpoint, and how it comes back. */
export interface DeletedFile {
  readonly method: "ghost" | "link remap" | "copy" | "process";
  readonly path: string | undefined;
  /** Image that holds the contents (ghost), or the path of the hard link that was left on disk. */
  readonly keptIn: string;
  /** Ids of the open files that use it. */
  readonly fileId: number;
  readonly ghost: Ghost | undefined;
  readonly origin: Origin;
}

export interface Ghost {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Contents in the image, in bytes; holes do not count. */
  readonly stored: number;
  readonly size: bigint;
  readonly chunked: boolean;
  readonly symlinkTarget: string | undefined;
}
