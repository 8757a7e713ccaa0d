import { AF_UNIX, SOCK_DEAD, TCP_LISTEN } from "../../linux/sockets.js";
import { TTY_HUPPED } from "../../linux/tty.js";
import type { RecordKind, RecordValue } from "./record-kind.js";
import { RECORDS } from "./records.js";
import type { ArchFamily, Commit, ObjectType } from "./revisions.js";
import { FILE_TYPE } from "./tables/files.js";
import { VMA_TYPE } from "./tables/memory.js";

/** Context for conditions of the grammar: the part of the image being read, and those before. */
export interface Context {
  /** Fields of the last record of this kind in this part. */
  fields<K extends RecordKind>(kind: K): RecordValue<K>;
  /** Whether the next known record is of this kind. */
  isNext(kind: RecordKind): boolean;
  /** True for the first call with this objref and role. */
  isNew(role: "pipe" | "signal" | "memfd", objref: number): boolean;
  since(commit: Commit): boolean;
  readonly family: ArchFamily;
  /** Whether the architecture has this record. */
  has(kind: RecordKind): boolean;
  /** Queues this object for the records at the end of the descriptor table. */
  defer(what: "epoll" | "queues"): void;
  /** Assigns these records to the next queued object. */
  undefer(what: "epoll" | "queues"): void;
}

/** Objects declared by OBJREF: those with records. */
export const RECORDED_OBJECTS = [
  "CRED",
  "GROUPINFO",
  "USER",
  "USER_NS",
  "SECURITY",
  "NS",
  "UTS_NS",
  "IPC_NS",
  "NET_NS",
  "NETDEV",
  "FS",
  "SIGHAND",
  "SEM_UNDO",
  "FILE_TABLE",
  "FILE",
  "SOCK",
  "TTY",
  "MM",
] as const satisfies readonly ObjectType[];

export type RecordedObject = (typeof RECORDED_OBJECTS)[number];

/** A rule: of an object, or of a part of the image that may repeat. */
export type RuleName =
  | RecordedObject
  | "head"
  | "task"
  | "tail"
  | "ipcList"
  | "netdevAddress"
  | "semUndo"
  | "descriptor"
  | "lock"
  | "deferred"
  | "queue"
  | "packet"
  | "fragment"
  | "chunk"
  | "watch"
  | "vma"
  | "shm"
  | "msg"
  | "message"
  | "sem";

/** One step of a rule: a record, or several under a condition. An OBJREF and its object may precede each. */
export type Step =
  | RecordKind
  | { readonly when: (context: Context) => boolean; readonly steps: readonly Step[] }
  | {
      readonly either: (context: Context) => boolean;
      readonly steps: readonly Step[];
      readonly orElse: readonly Step[];
    }
  | { readonly repeat: RuleName; readonly times: (context: Context) => number | bigint }
  | { readonly repeat: RuleName; readonly whileNext: readonly RecordKind[] }
  | { readonly anyOrder: readonly (readonly [first: RecordKind, ...rest: readonly Step[]])[] }
  | { readonly pages: true }
  | { readonly act: (context: Context) => void };

const when = (test: (context: Context) => boolean, ...steps: readonly Step[]): Step => ({
  when: test,
  steps,
});
const whenNext = (kind: RecordKind, ...steps: readonly Step[]): Step => when((c) => c.isNext(kind), ...steps);
const R = RECORDS;

const WITH_PAGES: ReadonlySet<number> = new Set([
  VMA_TYPE.anonymous,
  VMA_TYPE.privateFile,
  VMA_TYPE.sharedAnonymous,
]);
const SLASH = 0x2f;

const THREAD = [when((c) => c.has(R.THREAD), R.THREAD), R.RESTART_BLOCK];
const CPU = [R.CPU, when((c) => c.family === "x86" && (c.fields(R.CPU).used_math ?? 0) !== 0, R.CPU_FPU)];
const OBJECTS = [
  R.TASK_CREDS,
  R.TASK_NS,
  R.TASK_OBJS,
  when((c) => c.isNew("signal", c.fields(R.TASK_OBJS).signal_objref), R.SIGNAL, R.SIGPENDING),
];
const PRIVATE_SIGNALS = [R.SIGPENDING, R.SIGNAL_TASK];

const OTHER_SOCKET: Step = {
  either: (c) => c.isNext(R.SOCKET_NETLINK),
  steps: [R.SOCKET_NETLINK],
  orElse: [{ either: (c) => c.isNext(R.SOCKET_PACKET), steps: [R.SOCKET_PACKET], orElse: [R.SOCKET_INET] }],
};
const TASK_EXTENSIONS: Step = { anyOrder: [[R.TASK_EXTRA], [R.RSEQ], [R.XSTATE], [R.POSIX_TIMER]] };
const FILE_EXTENSIONS: Step = {
  anyOrder: [
    [R.FILE_IDENTITY],
    [R.PIPE_STATE],
    [R.TIMERFD],
    [R.SIGNALFD],
    [R.OPENED_NAME],
    [R.UNLINKED_EXTRA],
    [R.MEMFD, when((c) => c.isNew("memfd", c.fields(R.MEMFD).inode_objref), { pages: true })],
    [R.INOTIFY, { repeat: "watch", times: (c) => c.fields(R.INOTIFY).nr_watches }],
  ],
};

/** v18 wrote the objects of a task before its registers. */
const beginsWithThread = (c: Context): boolean => c.isNext(R.THREAD) || c.isNext(R.RESTART_BLOCK);

const hasPages = (c: Context): boolean => WITH_PAGES.has(c.fields(R.VMA).vma_type);

const fileType = (c: Context): number => c.fields(R.FILE).f_type;

/** The order of the records of an image. Objects, which precede the record that first needs them, are not listed. */
export const RULES: Readonly<Record<RuleName, readonly Step[]>> = {
  head: [
    R.HEADER,
    R.BUFFER,
    R.BUFFER,
    R.BUFFER,
    R.HEADER_ARCH,
    R.CONTAINER,
    when((c) => c.since("d55d4c8"), R.BUFFER, R.LSM_INFO),
    when((c) => c.since("b6cdf01"), R.PIDS, R.BUFFER),
    R.TREE,
    R.BUFFER,
    whenNext(
      R.VPIDS,
      R.VPIDS,
      when((c) => c.fields(R.VPIDS).nr_vpids > 0, R.BUFFER),
    ),
    when((c) => c.since("b0d8304") && !c.since("b6cdf01") && c.isNext(R.BUFFER), R.BUFFER),
    { anyOrder: [[R.EXTENSIONS], [R.CLOCKS], [R.CGROUP_SET], [R.SECCOMP_FILTER]] },
  ],
  task: [
    R.TASK,
    R.STRING,
    when((c) => c.fields(R.TASK).exit_state === 0, {
      either: beginsWithThread,
      steps: [...THREAD, ...CPU, ...OBJECTS, ...PRIVATE_SIGNALS, TASK_EXTENSIONS],
      orElse: [...OBJECTS, ...THREAD, ...CPU, ...PRIVATE_SIGNALS, TASK_EXTENSIONS],
    }),
  ],
  tail: [R.TAIL],

  CRED: [R.CRED],
  GROUPINFO: [R.GROUPINFO],
  USER: [R.USER],
  USER_NS: [R.USER_NS],
  SECURITY: [R.SECURITY, R.STRING],
  NS: [R.NS],
  UTS_NS: [R.UTS_NS],
  IPC_NS: [R.IPC_NS, { repeat: "ipcList", times: () => 3 }, whenNext(R.IPC_NS_EXTRA, R.IPC_NS_EXTRA)],
  NET_NS: [R.NET_NS],
  NETDEV: [R.NETDEV, { repeat: "netdevAddress", whileNext: [R.NETDEV_ADDR] }],
  netdevAddress: [R.NETDEV_ADDR],
  FS: [R.FS, R.FILE_NAME, R.FILE_NAME, whenNext(R.FS_EXTRA, R.FS_EXTRA)],
  SIGHAND: [R.SIGHAND],
  SEM_UNDO: [R.TASK_SEM_UNDO_LIST, { repeat: "semUndo", times: (c) => c.fields(R.TASK_SEM_UNDO_LIST).count }],
  semUndo: [R.TASK_SEM_UNDO, whenNext(R.BUFFER, R.BUFFER)],

  FILE_TABLE: [
    R.FILE_TABLE,
    { repeat: "descriptor", times: (c) => c.fields(R.FILE_TABLE).fdt_nfds },
    { repeat: "deferred", whileNext: [R.EPOLL_ITEMS, R.SOCKET_QUEUE] },
  ],
  descriptor: [
    R.FILE_DESC,
    whenNext(R.FILE_LOCKS, R.FILE_LOCKS, { repeat: "lock", times: (c) => c.fields(R.FILE_LOCKS).nr_locks }),
  ],
  lock: [R.FILE_LOCK],
  deferred: [
    {
      either: (c) => c.isNext(R.EPOLL_ITEMS),
      steps: [
        { act: (c) => c.undefer("epoll") },
        R.EPOLL_ITEMS,
        when((c) => c.fields(R.EPOLL_ITEMS).num_items > 0, R.BUFFER),
      ],
      orElse: [{ act: (c) => c.undefer("queues") }, { repeat: "queue", times: () => 2 }],
    },
  ],
  queue: [R.SOCKET_QUEUE, { repeat: "packet", times: (c) => c.fields(R.SOCKET_QUEUE).skb_count }],
  packet: [
    R.SOCKET_BUFFER,
    R.BUFFER,
    { repeat: "fragment", times: (c) => c.fields(R.SOCKET_BUFFER).nr_frags ?? 0 },
    whenNext(R.PACKET_RIGHTS, R.PACKET_RIGHTS),
  ],
  fragment: [R.SOCKET_FRAG],

  FILE: [
    R.FILE,
    when(
      (c) => fileType(c) === FILE_TYPE.generic || fileType(c) === FILE_TYPE.fifo,
      R.FILE_NAME,
      whenNext(
        R.FILE_UNLINKED,
        R.FILE_UNLINKED,
        when((c) => c.fields(R.FILE_UNLINKED).method !== 2, R.FILE_NAME),
        { repeat: "chunk", times: (c) => c.fields(R.FILE_UNLINKED).nr_chunks },
      ),
    ),
    when(
      (c) =>
        (fileType(c) === FILE_TYPE.pipe || fileType(c) === FILE_TYPE.fifo) &&
        c.isNew("pipe", c.fields(R.FILE).pipe_objref ?? 0),
      R.PIPE_BUF,
    ),
    whenNext(R.FILE_OWNER, R.FILE_OWNER),
    FILE_EXTENSIONS,
    when((c) => fileType(c) === FILE_TYPE.epoll, { act: (c) => c.defer("epoll") }),
  ],
  chunk: [R.BUFFER],
  watch: [R.INOTIFY_WATCH],
  SOCK: [
    R.SOCKET,
    when(
      (c) => c.fields(R.SOCKET).sock_common.family === AF_UNIX,
      R.SOCKET_UNIX,
      when((c) => {
        const { laddr_len: length, laddr } = c.fields(R.SOCKET_UNIX);
        return length > 2 && laddr[2] !== 0 && laddr[2] !== SLASH;
      }, R.STRING),
    ),
    when((c) => c.fields(R.SOCKET).sock_common.family !== AF_UNIX, OTHER_SOCKET),
    { anyOrder: [[R.SOCKET_EXTRA], [R.TCP_EXTRA]] },
    when(
      (c) => {
        const { state, flags } = c.fields(R.SOCKET).sock;
        return state !== TCP_LISTEN && (flags & SOCK_DEAD) === 0n;
      },
      { act: (c) => c.defer("queues") },
    ),
  ],
  TTY: [
    R.TTY,
    when(
      (c) => (c.fields(R.TTY).flags & TTY_HUPPED) === 0n,
      R.TTY_LDISC,
      when((c) => c.fields(R.TTY_LDISC).datalen > 0, R.BUFFER),
    ),
    whenNext(R.TTY_EXTRA, R.TTY_EXTRA),
  ],

  MM: [
    R.MM,
    R.BUFFER,
    { repeat: "vma", times: (c) => c.fields(R.MM).map_count },
    when((c) => c.has(R.MM_CONTEXT), R.MM_CONTEXT),
    when((c) => c.family === "x86", R.MM_CONTEXT_LDT),
    { anyOrder: [[R.GUARD_PAGES]] },
  ],
  vma: [
    R.VMA,
    {
      either: (c) => c.isNext(R.VMA_EXTRA),
      steps: [
        R.VMA_EXTRA,
        when((c) => c.isNext(R.SYSV_SEGMENT), R.SYSV_SEGMENT),
        when((c) => hasPages(c) || (c.fields(R.VMA_EXTRA).flags & 1) !== 0, { pages: true }),
      ],
      orElse: [when(hasPages, { pages: true })],
    },
  ],
  ipcList: [
    R.IPC,
    when((c) => c.fields(R.IPC).ipc_type === 502, { repeat: "shm", times: (c) => c.fields(R.IPC).ipc_count }),
    when((c) => c.fields(R.IPC).ipc_type === 503, { repeat: "msg", times: (c) => c.fields(R.IPC).ipc_count }),
    when((c) => c.fields(R.IPC).ipc_type === 505, { repeat: "sem", times: (c) => c.fields(R.IPC).ipc_count }),
  ],
  shm: [R.IPC_SHM, { pages: true }],
  msg: [R.IPC_MSG, { repeat: "message", times: (c) => c.fields(R.IPC_MSG).q_qnum }],
  message: [R.IPC_MSG_MSG, { repeat: "chunk", whileNext: [R.BUFFER] }],
  sem: [R.IPC_SEM, when((c) => c.fields(R.IPC_SEM).sem_nsems > 0, R.BUFFER)],
};
