import type { ResourceLimit, TaskAttributes, ThreadAttributes } from "./attributes.js";
import type { Credentials } from "./credentials.js";
import type { FileState } from "./file-state.js";
import type { IpcNamespace, UtsNamespace } from "./ipc.js";
import type { Lock } from "./lock.js";
import type { Memory } from "./memory.js";
import type { PendingSignal, SignalState } from "./signals.js";
import type { Ghost, StoredBytes } from "./stored-bytes.js";
import type { Surroundings } from "./surroundings.js";
import type { Timer } from "./timer.js";

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
  /** Timers of timerfd_create(2), each once, also those that only a socket's queue or nobody holds. */
  readonly timerfds: readonly Timer[];
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
  readonly argvArea: AddressRange | undefined;
  readonly environArea: AddressRange | undefined;
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
  /** Blocked signals, bit n-1 is signal n. */
  readonly blocked: bigint;
  readonly pending: readonly PendingSignal[];
  /** cgroups(7) that it is in, each as `controllers:path`; undefined when the image does not say. */
  readonly controlGroups: readonly string[] | undefined;
  readonly origin: Origin;
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
  /** Undefined when nobody was named. */
  readonly owner: FileOwner | undefined;
  readonly deleted: DeletedFile | undefined;
  /** What only this type has: the counter of an eventfd, what an epoll watches, modes of a terminal … */
  readonly state: FileState;
  /** The format's own record of this type, with the fields that only that family knows. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
}

/** Who gets the signals of an open file, fcntl(2) F_SETOWN. */
export interface FileOwner {
  readonly kind: "thread" | "process" | "group" | "session";
  readonly pid: number;
  /** 0 for SIGIO. */
  readonly signal: number;
  readonly uid: number;
  readonly euid: number;
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
  /** shutdown(2): 1 for reading, 2 for writing, 3 for both. */
  readonly shutdown: number;
  /** Sizes of the buffers in bytes, as getsockopt(2) gives them; undefined when not stored. */
  readonly sendBuffer: number | undefined;
  readonly receiveBuffer: number | undefined;
  /** Options that are switched on, by their names in socket(7), ip(7) and tcp(7). */
  readonly options: readonly string[];
  /** Bytes and packets that wait in the socket; undefined when the image keeps none of it. */
  readonly queued: SocketQueue | undefined;
  /** What was received and not yet read: messages, or pieces of a TCP stream, in their order. */
  readonly waiting: () => Iterable<StoredBytes>;
}

export interface SocketQueue {
  readonly received: number;
  /** Undefined for unix sockets of CRIU sets, where all that was sent has been received. */
  readonly unsent?: number | undefined;
  /** Undefined where bytes have no bounds, as in TCP. */
  readonly packets?: number | undefined;
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

/** Bytes that stood in a pipe or fifo. */
export interface PipeBuffer {
  readonly pipeId: number;
  readonly kind: "pipe" | "fifo";
  readonly bytes: number;
  /** Capacity in bytes, 0 when not stored. */
  readonly capacity: number;
  read(): Buffer;
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
  /** Image, or record of a stream, that holds the contents (ghost); else the path of the hard link or copy on disk. */
  readonly keptIn: string;
  /** Where the contents begin; undefined when they are not in the image, or there are none. */
  readonly contents: { readonly record: number; readonly offset: number } | undefined;
  /** Ids of the open files that use it. */
  readonly fileId: number;
  readonly ghost: Ghost | undefined;
  readonly origin: Origin;
}
