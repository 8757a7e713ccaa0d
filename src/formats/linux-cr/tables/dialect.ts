import { enumTable, flagTable } from "../../../io/enums.js";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from "../../../linux/files.js";
import { FL_OFDLCK, FL_POSIX } from "../../../linux/locks.js";
import { SIGNAL_OR_NONE } from "../../../linux/signals.js";
import { struct, word } from "../../../schema/struct.js";

/** FILE_OWNER.pid_type. */
const OWNER_TYPES = enumTable("pid_type", { process: 0, group: 1, session: 2, thread: 3 });
/** FILE_UNLINKED.method: how a deleted file is restored. */
export const UNLINKED_METHOD = { relink: 1, contents: 2, copy: 3 } as const;
const UNLINKED_METHODS = enumTable("method", {
  relinked: UNLINKED_METHOD.relink,
  "contents in the image": UNLINKED_METHOD.contents,
  copied: UNLINKED_METHOD.copy,
});
/** FILE_UNLINKED.kind */
export const UNLINKED_KIND = {
  regular: 1,
  directory: 2,
  fifo: 3,
  "symbolic link": 4,
  "character device": 5,
  "block device": 6,
} as const;
const UNLINKED_KINDS = enumTable("kind", UNLINKED_KIND);
/** S_IFMT bits of a mode by FILE_UNLINKED.kind. */
export const UNLINKED_TYPES: readonly number[] = [0, S_IFREG, S_IFDIR, S_IFIFO, S_IFLNK, S_IFCHR, S_IFBLK];
/** FILE_UNLINKED.flags: of the substitute, which stands in the place of the deleted file until it is open. */
export const UNLINKED_FLAG = { remove: 1, "relative to the root": 2 } as const;
const UNLINKED_FLAGS = flagTable("flags", UNLINKED_FLAG);

/** FILE_LOCK.fl_flags of an OFD lock. */
export const OFD_LOCK = FL_POSIX | FL_OFDLCK;

export const FILE_LOCKS = struct(
  "FILE_LOCKS",
  24,
  "Number of locks of a descriptor; as many FILE_LOCKs follow",
  {
    fd: word("s32", 8, { doc: "descriptor of the preceding FILE_DESC" }),
    nr_locks: word("u32", 12, { doc: "FILE_LOCKs that follow" }),
    flags: word("u32", 16),
  },
);

export const FILE_LOCK = struct("FILE_LOCK", 48, "One record lock, flock or lease", {
  fl_start: word("s64", 8),
  fl_end: word("s64", 16, { doc: "last byte; 0x7fffffffffffffff is the end of the file" }),
  fl_type: word("u32", 24, {
    doc: "0 read, 1 write, 2 none; plus 16 for a breaking lease, with its target type",
  }),
  fl_type_prev: word("u32", 28, { doc: "previous type of a breaking lease" }),
  fl_flags: word("u32", 32, { doc: "1 POSIX, 2 flock, 32 lease, 1025 OFD" }),
  fl_rem_lease: word("s32", 36, {
    doc: "seconds until the lease is removed, from the start of the checkpoint",
  }),
  owner_ref: word("s32", 40, { doc: "FILE_TABLE of a POSIX lock, FILE of an OFD lock, else 0" }),
});

export const FILE_OWNER = struct("FILE_OWNER", 40, "Receiver of the signals of a file, fcntl(2) F_SETOWN", {
  file_objref: word("s32", 8),
  pid_ref: word("s32", 12, { doc: "pid tag, 0 for none" }),
  pid_type: word("u32", 16, {
    doc: "type of pid_ref",
    domain: ({ pid_ref }) => (pid_ref === 0 ? undefined : OWNER_TYPES),
  }),
  uid: word("u32", 20),
  euid: word("u32", 24),
  signum: word("u32", 28, { doc: "0 is SIGIO", domain: SIGNAL_OR_NONE }),
  async: word("u32", 32, { doc: "1 if O_ASYNC is set" }),
});

export const FILE_UNLINKED = struct("FILE_UNLINKED", 56, "A deleted file, and how it is restored", {
  file_objref: word("s32", 8),
  method: word("u32", 12, { doc: "how it is restored", domain: UNLINKED_METHODS }),
  kind: word("u32", 16, {
    doc: "the contents of a symbolic link are its target",
    domain: UNLINKED_KINDS,
    kept: false,
  }),
  mode: word("u32", 20),
  uid: word("u32", 24),
  gid: word("u32", 28),
  size: word("u64", 32),
  nr_chunks: word("u32", 40, { doc: "BUFFERs that follow, each a u64 offset and data" }),
  flags: word("u32", 44, {
    doc: "remove the substitute once it is open; its path is relative to the root of the container, not of the mount",
    domain: UNLINKED_FLAGS,
    kept: false,
  }),
  ino: word("u64", 48),
});
