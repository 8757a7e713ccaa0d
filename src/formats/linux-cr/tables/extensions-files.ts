import { BOOLEAN, range } from "../../../io/domains.js";
import { flagTable } from "../../../io/enums.js";
import { PIPE_BYTES, SEALS, SOCKET_MODES, WATCH_MASK, WATCHES } from "../../../linux/files.js";
import { NANOSECONDS, TIMERFD_CLOCKS } from "../../../linux/time.js";
import { bytes, struct, word } from "../../../schema/struct.js";

/** FILE_IDENTITY.flags. */
const IDENTITY_FLAGS = flagTable("flags", { mode: 1, "dev and ino": 2, size: 4, mtime: 8 });

export const FILE_IDENTITY = struct(
  "FILE_IDENTITY",
  64,
  "Identity of the file, so that a restore can detect another one with its name",
  {
    file_objref: word("s32", 8),
    mode: word("u32", 12, { doc: "st_mode" }),
    dev: word("u64", 16, { doc: "st_dev as stat(2) gives it", show: { as: "hex" } }),
    ino: word("u64", 24, { doc: "st_ino" }),
    size: word("u64", 32, { doc: "bytes" }),
    mtime_sec: word("s64", 40, { doc: "seconds since 1970" }),
    mtime_nsec: word("u32", 48, { domain: range(0, 999_999_999), kept: false }),
    flags: word("u32", 52, {
      doc: "stored fields",
      show: { as: "hex" },
      domain: IDENTITY_FLAGS,
      kept: false,
    }),
  },
);

export const PIPE_STATE = struct("PIPE_STATE", 16, "Capacity of a pipe or fifo", {
  capacity: word("u32", 8, { doc: "bytes, fcntl(2) F_GETPIPE_SZ", domain: PIPE_BYTES }),
});

export const TIMERFD = struct(
  "TIMERFD",
  48,
  "A timer of timerfd_create(2); times are relative to the start of the checkpoint",
  {
    clock_id: word("u32", 8, { doc: "clock_gettime(2)", domain: TIMERFD_CLOCKS }),
    settime_flags: word("u32", 12, { doc: "of timerfd_settime(2); value_ns is always relative" }),
    ticks: word("u64", 16, { doc: "unread expirations" }),
    value_ns: word("u64", 24, {
      doc: "ns until it expires, 0 when disarmed",
      domain: NANOSECONDS,
      kept: false,
    }),
    interval_ns: word("u64", 32, {
      doc: "ns between expirations, 0 for one-shot",
      domain: NANOSECONDS,
      kept: false,
    }),
  },
);

export const SIGNALFD = struct("SIGNALFD", 16, "Signals of a signalfd(2)", {
  sigmask: bytes(8, 8, { doc: "signal set as the kernel stores it" }),
});

export const MEMFD = struct("MEMFD", 48, "A file of memfd_create(2)", {
  inode_objref: word("s32", 8, {
    doc: "equal for all files of one memfd; not declared by an OBJREF",
    domain: range(1, 0x7fff_ffff),
  }),
  seals: word("u32", 12, { doc: "fcntl(2) F_GET_SEALS", show: { as: "hex" }, domain: SEALS }),
  mode: word("u32", 16, { doc: "st_mode" }),
  uid: word("u32", 20),
  gid: word("u32", 24),
  flags: word("u32", 28, { doc: "MFD_HUGETLB and the size of the pages", show: { as: "hex" } }),
  size: word("u64", 32, { doc: "bytes" }),
});

export const INOTIFY = struct("INOTIFY", 16, "An inotify(7) instance; its watches follow", {
  nr_watches: word("u32", 8, { doc: "INOTIFY_WATCHes that follow" }),
});

export const INOTIFY_WATCH = struct("INOTIFY_WATCH", 32, "One watch of an inotify instance", {
  wd: word("s32", 8, { doc: "watch descriptor", domain: WATCHES }),
  mask: word("u32", 12, { doc: "inotify_add_watch(2) events", show: { as: "hex" }, domain: WATCH_MASK }),
  ino: word("u64", 16, { doc: "st_ino of the watched file" }),
  dev: word("u32", 24, { doc: "device of the watched file", show: { as: "hex" } }),
});

export const SOCKET_EXTRA = struct("SOCKET_EXTRA", 64, "Additional state of a socket", {
  inode: word("u64", 8, { doc: "number of the socket, as in socket:[N]" }),
  mode: word("u32", 16, {
    doc: "st_mode of the file of a unix socket",
    domain: ({ flags }) => (flags === 0 ? undefined : SOCKET_MODES),
  }),
  uid: word("u32", 20),
  gid: word("u32", 24),
  flags: word("u32", 28, {
    doc: "1: mode, uid and gid are stored",
    show: { as: "hex" },
    domain: BOOLEAN,
    kept: false,
  }),
  so_options: word("u64", 32, {
    doc: "bit 0 reuseaddr, then passcred, passsec, dontroute, no_check, reuseport, broadcast, keepalive, oobinline, freebind, pktinfo, cork, nodelay; bit 32 + n: option n is stored",
    show: { as: "hex" },
  }),
  v6_only: word("u32", 40, { doc: "IPV6_V6ONLY", domain: BOOLEAN, kept: false }),
  ifindex: word("u32", 44, { doc: "index of the bound interface, 0 for none" }),
  so_mark: word("u32", 48),
  so_priority: word("u32", 52),
});

export const TTY_EXTRA = struct("TTY_EXTRA", 40, "Additional state of a terminal", {
  flags: word("u32", 8, {
    doc: "1 locked, 2 exclusive, 4 packet mode, 8 uid and gid are stored, 16 external master",
    show: { as: "hex" },
  }),
  uid: word("u32", 12),
  gid: word("u32", 16),
  mode: word("u32", 20, { doc: "st_mode of the device, 0 if not stored" }),
  sid_ref: word("s32", 24, { doc: "session that it controls: pid tag, 0 for none" }),
  pgrp_ref: word("s32", 28, { doc: "foreground process group: pid tag, 0 for none" }),
  rdev: word("u32", 32, { doc: "st_rdev, 0 if not stored", show: { as: "hex" } }),
});

/** VMA_EXTRA.kind of VMAs that the kernel places, in their order; 0 for all others. */
export const VMA_KINDS = ["ordinary", "vdso", "vvar", "vsyscall"] as const;
/** VMA_EXTRA.flags */
export const VMA_FLAG = { pages: 1, MAP_NORESERVE: 2, MAP_DROPPABLE: 4 } as const;
const VMA_EXTRA_FLAGS = flagTable("vma_extra_flags", VMA_FLAG);

export const VMA_EXTRA = struct("VMA_EXTRA", 32, "Additional state of a VMA", {
  madv: word("u64", 8, { doc: "bit n: madvise(2) advice n is in force", show: { as: "hex" } }),
  kind: word("u32", 16, {
    doc: "0 ordinary, 1 vdso, 2 vvar, 3 vsyscall",
    domain: range(0, 3),
    kept: false,
  }),
  flags: word("u32", 20, {
    doc: "1 pages follow for a vma_type without pages, 2 MAP_NORESERVE, 4 MAP_DROPPABLE",
    show: { as: "hex" },
    domain: VMA_EXTRA_FLAGS,
    kept: false,
  }),
});

export const SYSV_SEGMENT = struct("SYSV_SEGMENT", 48, "The System V segment of a VMA", {
  shmid: word("s32", 8, { doc: "number of the segment in the IPC namespace, shmget(2)" }),
  key: word("u32", 12, { doc: "0 for IPC_PRIVATE, or a removed segment", show: { as: "hex" } }),
  uid: word("u32", 16),
  gid: word("u32", 20),
  cuid: word("u32", 24, { doc: "creating user" }),
  cgid: word("u32", 28),
  mode: word("u32", 32, { doc: "permissions; 01000 is removed after the last detach", show: { as: "hex" } }),
  size: word("u64", 40, { doc: "requested bytes" }),
});

export const GUARD_PAGES = struct(
  "GUARD_PAGES",
  24,
  "Guard pages of an address space, madvise(2) MADV_GUARD_INSTALL",
  {
    start: word("u64", 8, { doc: "inside a VMA, or several without a gap", show: { as: "hex" } }),
    end: word("u64", 16, { show: { as: "hex" } }),
  },
);

export const OPENED_NAME = struct("OPENED_NAME", 16, "Path of the node of an open terminal", {
  file_objref: word("s32", 8),
});

/** UNLINKED_EXTRA.flags: the time of access is stored; an earlier FILE of the same inode_objref has the contents. */
export const UNLINKED_EXTRA_FLAG = { hasAtime: 1, contentsEarlier: 2 } as const;

export const UNLINKED_EXTRA = struct("UNLINKED_EXTRA", 40, "Additional state of a deleted file", {
  file_objref: word("s32", 8),
  inode_objref: word("s32", 12, {
    doc: "equal for all FILEs of one deleted file; not declared by an OBJREF",
  }),
  atime_sec: word("s64", 16, { doc: "time of the last access, seconds since 1970" }),
  atime_nsec: word("u32", 24, { domain: range(0, 999_999_999), kept: false }),
  rdev: word("u32", 28, { doc: "device number of a device file, as in stat(2)", show: { as: "hex" } }),
  flags: word("u32", 32, {
    doc: "1 atime is stored, 2 the contents are with an earlier FILE of this inode_objref",
    show: { as: "hex" },
  }),
});

export const FS_EXTRA = struct("FS_EXTRA", 24, "Additional state of FS: deleted directories are FILEs", {
  cwd_objref: word("s32", 8, { doc: "the working directory, 0 if not deleted" }),
  root_objref: word("s32", 12, { doc: "the root directory, 0 if not deleted" }),
  cwd_mode: word("u32", 16, { doc: "st_mode of the working directory, 0 if not stored" }),
  root_mode: word("u32", 20, { doc: "st_mode of the root directory, 0 if not stored" }),
});
