import { type DamagedStream, R } from "../damaged-stream.js";
import { bytesOf, word64 } from "./bytes.js";
import { damage, type StreamCase } from "./case.js";

const SIGNED = 1n << 63n;
const POSIX = 1;
const FLOCK = 2;
const LEASE = 32;
type Fields = Readonly<Record<string, unknown>>;

const isPosix = ({ fl_flags }: Fields): boolean => fl_flags === POSIX;
const isFlock = ({ fl_flags }: Fields): boolean => fl_flags === FLOCK;
const isLease = ({ fl_flags }: Fields): boolean => fl_flags === LEASE;
const isBreaking = (lock: Fields): boolean => isLease(lock) && ((lock.fl_type as number) & 16) !== 0;
const isRegular = ({ kind, nr_chunks }: Fields): boolean => kind === 1 && nr_chunks === 0;
const isWriteLease = (lock: Fields): boolean => isLease(lock) && lock.fl_type === 1;

/** The dialect: locks, owners, deleted files; and the extension records. */
export const ourCases: readonly StreamCase[] = [
  damage("LOCKS_COUNT", "locks", (s) => s.set(R.FILE_LOCKS, { fd: 99 })),
  damage(
    "LOCKS_COUNT",
    "locks",
    (s) => s.set(R.FILE_LOCKS, { nr_locks: 0 }, (f) => f.nr_locks === 1),
    ["STREAM_ORDER", "STREAM_SALVAGED"],
    "more than it says",
  ),
  damage("LOCKS_MISSING", "locks", (s) => s.drop(s.find(R.FILE_LOCKS, (f) => f.nr_locks === 0))),
  damage("LOCK_KIND", "locks", (s) => s.set(R.FILE_LOCK, { fl_flags: 4 }, isFlock), []),
  damage(
    "LOCK_TYPE",
    "locks",
    (s) => s.set(R.FILE_LOCK, { fl_type: 2, fl_type_prev: 2 }, isPosix),
    [],
    "a type",
  ),
  damage(
    "LEASE_REST",
    "locks",
    (s) => s.set(R.FILE_LOCK, { fl_type_prev: 0 }, (f) => isPosix(f) && f.fl_type === 1),
    [],
    "what it was",
  ),
  damage("LOCK_RANGE", "locks", (s) => s.set(R.FILE_LOCK, { fl_start: 5n }, isFlock)),
  damage("LOCK_RANGE", "locks", (s) => s.set(R.FILE_LOCK, { fl_start: -1n }, isPosix), [], "below 0"),
  damage("LEASE_REST", "locks", (s) => s.set(R.FILE_LOCK, { fl_rem_lease: -1 }, isBreaking)),
  damage("LEASE_REST", "locks", (s) => s.set(R.FILE_LOCK, { fl_rem_lease: 5 }, isFlock), [], "of an flock"),
  damage("LOCK_OWNER", "locks", (s) => s.set(R.FILE_LOCK, { owner_ref: 5 }, isFlock)),
  damage("LOCK_TWICE", "rich", (s) => {
    const flock = s.find(R.FILE_LOCK, isFlock);
    const fields = s.image.value(flock, R.FILE_LOCK);
    return s
      .insert(flock, R.FILE_LOCK, { ...fields, fl_type: 1, fl_type_prev: 1 })
      .set(R.FILE_LOCKS, { nr_locks: 4 });
  }),
  damage("LOCK_ACCESS", "locks", (s) => withFlags(s, isPosix, 0)),
  damage("LEASE_ACCESS", "locks", (s) => withFlags(s, (f) => isLease(f) && f.fl_type === 0, 2), []),
  damage("LOCK_CONFLICT", "rich", (s) => {
    const posix = s.find(R.FILE_LOCK, isPosix);
    const { fd_objref } = s.image.value(s.find(R.FILE_DESC), R.FILE_DESC);
    const ofd = { fl_start: 3n, fl_end: 4n, fl_flags: 1025, owner_ref: fd_objref };
    return s.insert(posix, R.FILE_LOCK, ofd).set(R.FILE_LOCKS, { nr_locks: 4 });
  }),
  damage("LEASE_CONFLICT", "locks", (s) => {
    const { image } = s;
    const lease = s.find(R.FILE_LOCK, isWriteLease);
    const holder = before(s, lease, R.FILE_NAME);
    const other = s.find(R.FILE_NAME, 0);
    return s.payload(other, Buffer.from(image.bytes(holder)));
  }),

  damage("FIELD_VALUE", "deleted", (s) => s.set(R.FILE_UNLINKED, { flags: 8 })),
  damage(
    "UNLINKED_VALUES",
    "deleted",
    (s) => s.set(R.FILE_UNLINKED, { kind: 2 }, (f) => (f.nr_chunks as number) > 0),
    ["UNLINKED_KIND"],
  ),
  damage("DELETED_PATH", "deleted", (s) =>
    s.payload(substitute(s), Buffer.from(s.image.bytes(s.find(R.FILE_NAME)))),
  ),
  damage("UNLINKED_KIND", "deleted", (s) => s.set(R.FILE_UNLINKED, { kind: 2 }, isRegular)),
  damage(
    "DELETED_TYPE",
    "deleted",
    (s) => s.set(R.FILE_UNLINKED, { kind: 3, mode: 0 }, isRegular),
    [],
    "fifo",
  ),
  damage("FILE_PATH_PARENT", "deleted", (s) => s.payload(substitute(s), bytesOf("a/../b\0"))),
  damage("GHOST_CHUNKS", "deleted", (s) =>
    s.poke(s.find(R.FILE_UNLINKED, (f) => (f.nr_chunks as number) > 0) + 1, 0, word64(1n << 60n)),
  ),
  damage("FILE_RECORD_OWNER", "deleted", (s) =>
    s.set(R.FILE_UNLINKED, {
      file_objref: s.image.value(s.find(R.FILE_UNLINKED, 1), R.FILE_UNLINKED).file_objref,
    }),
  ),
  damage("FILE_SIGNALS", "rich", (s) => s.set(R.FILE_OWNER, { pid_ref: 77 })),
  damage("FILE_ASYNC", "rich", (s) => s.set(R.FILE_OWNER, { async: 0 })),

  damage("EXTENSIONS_VERSION", "logger", (s) => s.set(R.EXTENSIONS, { oldest_reader: 2, version: 2 }), [
    "STREAM_SALVAGED",
  ]),
  damage("EXTENSIONS_FIRST", "logger", (s) => s.drop(s.find(R.EXTENSIONS))),
  damage("FIELD_VALUE", "logger", (s) => s.set(R.CLOCKS, { flags: 8 }), [], "flags of CLOCKS"),
  damage("CGROUP_PATH", "extended", (s) =>
    s.payload(s.find(R.CGROUP_SET), bytesOf("memory:relative\0\0\0\0\0\0\0\0\0")),
  ),
  damage("SECCOMP_CHAIN", "logger", (s) =>
    s.insert(s.find(R.TASK), R.SECCOMP_FILTER, { filter_ref: 1, prev_ref: 2 }, Buffer.alloc(8)),
  ),
  damage("SECCOMP_FILTER", "logger", (s) => s.set(R.TASK_EXTRA, { seccomp_mode: 2 })),
  damage("TASK_STOP_SIGNAL", "logger", (s) => s.set(R.TASK_EXTRA, { stop_signo: 19 })),
  damage("RSEQ_AREA", "logger", (s) => s.set(R.RSEQ, { abi_pointer: 8n })),
  damage("XSTATE_COMPONENTS", "logger", (s) => s.set(R.XSTATE, { nr_components: 40 })),
  damage("TIMER_DUPLICATE", "threads", (s) => s.set(R.POSIX_TIMER, { timer_id: 0 }, 1)),
  damage(
    "FILE_EXTENSION",
    "rich",
    (s) => s.set(R.FILE, { f_type: 1001 }, (f) => f.f_type === 1 && f.f_flags === 0x8000),
    ["STREAM_ORDER", "STREAM_SALVAGED"],
  ),
  damage("FILE_MODE_TYPE", "logger", (s) => s.set(R.FILE_IDENTITY, { flags: 1, mode: 0o644 })),
  damage("PIPE_CAPACITY", "tree", (s) => s.set(R.PIPE_STATE, { capacity: 70_000 })),
  damage("FIELD_VALUE", "extended", (s) => s.set(R.TIMERFD, { value_ns: SIGNED })),
  damage("FIELD_VALUE", "extended", (s) => s.set(R.MEMFD, { inode_objref: 0 }), [], "memfd"),
  damage("FIELD_VALUE", "terminal", (s) => s.set(R.INOTIFY_WATCH, { wd: 0 })),
  damage("TTY_SESSION", "terminal", (s) => s.set(R.TTY_EXTRA, { sid_ref: 4711 })),
  damage("VMA_KIND", "logger", (s) => s.set(R.VMA_EXTRA, { kind: 1 }, ({ kind }) => kind === 0), [
    "VMA_VDSO_ONCE",
  ]),
  damage(
    "FIELD_VALUE",
    "logger",
    (s) => s.set(R.VMA_EXTRA, { kind: 9 }, ({ kind }) => kind === 0),
    [],
    "kind",
  ),

  damage("SOCKET_SWITCHES", "sockets", (s) => s.set(R.SOCKET_EXTRA, { so_options: 1n })),
  damage("FIELD_VALUE", "sockets", (s) => s.set(R.SOCKET_EXTRA, { flags: 1 }), [], "mode of a socket"),
  damage("SOCKET_INODE", "sockets", (s) =>
    s.set(R.SOCKET_EXTRA, { inode: s.image.value(s.find(R.SOCKET_EXTRA, 1), R.SOCKET_EXTRA).inode }),
  ),
  damage(
    "SOCKET_FAMILY",
    "sockets",
    (s) =>
      s.set(R.SOCKET, { sock_common: { family: 17 } }, ({ sock_common }) => familyOf(sock_common) === 16),
    [],
    "netlink as packet",
  ),
  damage("FIELD_VALUE", "sockets", (s) => s.set(R.SOCKET_NETLINK, { flags: 2 }), [], "netlink"),
  damage("FIELD_VALUE", "sockets", (s) => s.set(R.SOCKET_PACKET, { version: 3 }), [], "ring"),
  damage("FIELD_VALUE", "sockets", (s) => s.set(R.TCP_EXTRA, { snd_wscale: 15 }), [], "window scale"),
  damage("FIELD_VALUE", "sockets", (s) => s.set(R.TCP_EXTRA, { flags: 31 }), [], "flags of a connection"),
  damage("QUEUE_RIGHTS", "sockets", (s) => {
    const rights = s.find(R.PACKET_RIGHTS);
    const number = Buffer.from(s.image.bytes(rights));
    number.writeInt32LE(4711);
    return s.poke(rights, 0, number);
  }),
  damage("FIELD_VALUE", "logger", (s) => s.set(R.FS, { umask: 0o1022 }), [], "umask"),
  damage("FS_DIRECTORIES", "logger", (s) => s.set(R.FS_EXTRA, { cwd_mode: 0o100644 })),
  damage("OBJECT_REFERENCE", "logger", (s) => s.set(R.FS_EXTRA, { cwd_objref: 4711 }), [], "FS_EXTRA"),
  damage("OBJECT_REFERENCE", "deleted", (s) => s.set(R.UNLINKED_EXTRA, { file_objref: 4711 }), [
    "FILE_RECORD_OWNER",
  ]),
  damage("TTY_EXTRA_VALUES", "terminal", (s) => s.set(R.TTY_EXTRA, { flags: 32 })),
  damage("FIELD_VALUE", "logger", (s) => s.set(R.VMA_EXTRA, { flags: 8 })),
  damage(
    "VMA_VDSO_ONCE",
    "logger",
    (s) =>
      s
        .set(R.VMA, { vma_type: 1 }, ({ vma_type }) => vma_type === 0)
        .set(R.VMA_EXTRA, { kind: 1 }, ({ kind }) => kind === 2),
    ["VMA_VDSO"],
  ),
  damage("FIELD_VALUE", "container", (s) => s.set(R.IPC_NS_EXTRA, { msg_next_id: -2 })),
];

function familyOf(common: unknown): number {
  return (common as { readonly family: number }).family;
}

/** The last record of a kind in front of another. */
function before(s: DamagedStream, index: number, kind: (typeof R)[keyof typeof R]): number {
  for (let i = index; i >= 0; i--) if (s.image.kind(i) === kind) return i;
  throw new Error(`no ${kind.name} before ${index}`);
}

/** The first link or copy that keeps a deleted file. */
function substitute(s: DamagedStream): number {
  return s.find(R.FILE_UNLINKED, (f) => f.method !== 2) + 1;
}

/** Opens the file of a lock in another way. */
function withFlags(s: DamagedStream, isMeant: (lock: Fields) => boolean, flags: number): DamagedStream {
  const lock = s.find(R.FILE_LOCK, isMeant);
  const file = before(s, lock, R.FILE);
  const value = s.image.value(file, R.FILE);
  let nth = 0;
  for (let i = 0; i < file; i++) if (s.image.kind(i) === R.FILE) nth++;
  const f_mode = (value.f_mode & ~3) | (flags === 2 ? 3 : flags + 1);
  return s.set(R.FILE, { f_flags: (value.f_flags & ~3) | flags, f_mode }, nth);
}
