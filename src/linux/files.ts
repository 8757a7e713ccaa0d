import { range } from "../io/domains.js";
import { flagTable } from "../io/enums.js";
import { O_CLOEXEC, O_NONBLOCK } from "./open-flags.js";

/** Mode bits that umask(2) uses. */
export const UMASK = range(0, 0o777);

/** Types of inodes in st_mode and what else it holds, include/uapi/linux/stat.h, inode(7). */
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
/** Modes with which a program runs as its owner, or in its group, inode(7). */
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const SET_ID_BITS = S_ISUID | S_ISGID;
/** A directory in which only owners remove files, inode(7). */
export const S_ISVTX = 0o1000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
/** Permissions with set-user-id, set-group-id and sticky bit. */
export const S_IALLUGO = 0o7777;

/** Bytes of a path with its NUL, include/uapi/linux/limits.h. */
export const PATH_MAX = 4096;
/** Supplementary groups of a thread, include/uapi/linux/limits.h. */
export const NGROUPS_MAX = 65_536;
/** Maximum offset of a file, include/linux/fs.h; as the end of a lock, the end of the file. */
export const OFFSET_MAX = 0x7fff_ffff_ffff_ffffn;

/** f_mode of an open file, include/linux/fs.h. */
export const FMODE_READ = 1;
export const FMODE_WRITE = 2;
export const FMODE_LSEEK = 4;
export const FMODE_PREAD = 8;
export const FMODE_PWRITE = 16;
export const FMODE_PATH = 0x4000;

/** AT_FDCWD and flags of linkat(2), include/uapi/linux/fcntl.h. */
export const AT_FDCWD = -100;
export const AT_SYMLINK_FOLLOW = 0x400;

/** lseek(2), renameat2(2), splice(2) and reflinks, include/uapi/linux/fs.h. */
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
export const RENAME_NOREPLACE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const FICLONE = 0x40049409;

/** Commands of fcntl(2), include/uapi/asm-generic/fcntl.h and include/uapi/linux/fcntl.h. */
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_SETLK = 6;
export const F_SETOWN = 8;
export const F_SETSIG = 10;
export const F_GETSIG = 11;
export const F_SETOWN_EX = 15;
export const F_GETOWN_EX = 16;
export const F_GETOWNER_UIDS = 17;
export const F_OFD_SETLK = 37;
export const F_SETLEASE = 1024;
export const F_DUPFD_CLOEXEC = 1030;
export const F_SETPIPE_SZ = 1031;
export const F_GETPIPE_SZ = 1032;
export const F_ADD_SEALS = 1033;
export const F_GET_SEALS = 1034;

export const FD_CLOEXEC = 1;
/** Descriptor numbers. */
export const DESCRIPTORS = range(0, 0x7fff_ffff);
/** Watch descriptors and event masks, inotify(7). */
export const WATCHES = range(1, 0x7fff_ffff);
export const WATCH_MASK = range(1, 0xffff_ffff);

/** Types of F_SETOWN_EX; in images numbered as in the kernel's enum pid_type. */
export const F_OWNER_TID = 0;
export const F_OWNER_PID = 1;
export const F_OWNER_PGRP = 2;

/** Capacities that fcntl(2) F_SETPIPE_SZ takes. */
export const PIPE_BYTES = range(1, 1 << 30);

/** Seals of a memfd, include/uapi/linux/fcntl.h, fcntl(2) F_GET_SEALS. */
export const F_SEAL_SEAL = 1;
export const SEALS = flagTable(
  "seals.flags",
  { F_SEAL_SEAL, F_SEAL_SHRINK: 2, F_SEAL_GROW: 4, F_SEAL_WRITE: 8, F_SEAL_FUTURE_WRITE: 0x10 },
  { F_SEAL_EXEC: 0x20 },
);

/** Flags of memfd_create(2), include/uapi/linux/memfd.h. */
export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;

/** Flags of eventfd2(2), epoll_ctl(2) and inotify_add_watch(2) from their own headers in include/uapi/linux. */
export const EFD_SEMAPHORE = 1;
export const EVENTFD_FLAGS = flagTable("efd_flags", {
  EFD_SEMAPHORE,
  EFD_NONBLOCK: O_NONBLOCK,
  EFD_CLOEXEC: O_CLOEXEC,
});
/** st_mode of a socket with a name. */
export const SOCKET_MODES = range(S_IFSOCK, S_IFSOCK | 0o7777);
/** Counter of an eventfd, eventfd(2). */
export const EVENTFD_COUNTER = range(0, (1n << 64n) - 2n);
export const EPOLL_CTL_ADD = 1;
export const IN_DONT_FOLLOW = 0x0200_0000;

/** Events of poll(2), include/uapi/asm-generic/poll.h. */
export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 0x10;
export const POLLRDHUP = 0x2000;

/** Options of mount(8) for the MS_ bits of mount(2), include/uapi/linux/mount.h. */
export const MOUNT_FLAGS = flagTable("mount_flags", {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 0x10,
  mand: 0x40,
  dirsync: 0x80,
  nosymfollow: 0x100,
  noatime: 0x400,
  nodiratime: 0x800,
  bind: 0x1000,
  silent: 0x8000,
  posixacl: 0x10000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  relatime: 0x200000,
  iversion: 0x800000,
  strictatime: 0x1000000,
  lazytime: 0x2000000,
});

/** Objects that kcmp(2) compares, include/uapi/linux/kcmp.h. */
export const KCMP_FILE = 0;
export const KCMP_VM = 1;
export const KCMP_FILES = 2;
export const KCMP_FS = 3;
export const KCMP_SIGHAND = 4;
export const KCMP_EPOLL_TFD = 7;
