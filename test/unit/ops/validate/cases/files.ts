import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { FILE_ENTRY, type FileEntry } from "../../../../../src/formats/criu/tables/fdinfo.js";
import { REMAP_FILE_PATH_ENTRY } from "../../../../../src/formats/criu/tables/remap-file-path.js";
import { damage } from "../case.js";
import type { DamagedSet } from "../damaged-set.js";

const FILES = "files.img";
export const NO_OWNER = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

/** A memory file of threads. */
const MEMFD = 12;

/** Appends an open file that nothing uses, which FILE_UNUSED says too. */
export function addFile(set: DamagedSet, entry: FileEntry): DamagedSet {
  return set.add(IMAGES.FILES, FILES, FILE_ENTRY, entry);
}

/** Open files, descriptors, deleted files. */
export const fileCases = [
  damage("FILE_MEMBER", "logger", (set) => set.set("files.img[3].reg.id", 99)),
  damage("FILE_MEMBER", "logger", (set) => set.set("files.img[3].reg", undefined), ["FD_FILE"], "no member"),
  damage("FILE_DUPLICATE", "logger", (set) => set.repeat(FILES, 3), ["FILE_UNUSED"]),
  damage("FILE_PATH", "logger", (set) => set.set("files.img[3].reg.name", "var/log")),
  damage(
    "FILE_PATH",
    "logger",
    (set) => set.set("files.img[3].reg.name", `/${"x".repeat(5000)}`),
    [],
    "too long",
  ),
  damage("FILE_PATH_PARENT", "logger", (set) => set.set("files.img[3].reg.name", "/../../../etc/passwd")),
  damage("FILE_PATH_FORM", "logger", (set) => set.set("files.img[3].reg.name", "/var/log/")),
  damage(
    "FILE_PATH_FORM",
    "logger",
    (set) => set.set("files.img[3].reg.name", "/var/log (deleted)"),
    [],
    "deleted",
  ),
  damage("FILE_FLAGS", "logger", (set) => set.set("files.img[3].reg.flags", 0o1001)),
  damage("FILE_POSITION", "logger", (set) => set.set("files.img[3].reg.pos", 1n << 63n)),
  damage("FILE_MODE_TYPE", "logger", (set) => set.set("files.img[3].reg.mode", 0o644)),
  damage("FILE_UNUSED", "logger", (set) => set.drop("fdinfo-2.img", 3)),
  damage("FD_FILE", "logger", (set) => set.set("fdinfo-2.img[3].id", 99), ["FILE_UNUSED"]),
  damage("FD_FILE", "logger", (set) => set.set("fdinfo-2.img[3].type", 2), ["FILE_UNUSED"], "another type"),
  damage("FD_DUPLICATE", "logger", (set) => set.repeat("fdinfo-2.img", 3)),
  damage("FD_ORDER", "logger", (set) => set.swap("fdinfo-2.img", 2)),
  damage("FD_FLAGS", "logger", (set) => set.set("fdinfo-2.img[3].flags", 2)),

  damage("REMAP_FILE", "deleted", (set) => set.set("remap-fpath.img[1].orig_id", 99)),
  damage("REMAP_GHOST", "deleted", (set) => set.remove("ghost-file-1.img")),
  damage("REMAP_LINK", "deleted", (set) => set.set("remap-fpath.img[7].remap_id", 99), ["FILE_UNUSED"]),
  damage("REMAP_PROCESS", "deleted", (set) =>
    set.add(IMAGES.REMAP_FPATH, "remap-fpath.img", REMAP_FILE_PATH_ENTRY, {
      orig_id: 1,
      remap_id: 1000,
      remap_type: 2,
    }),
  ),
  damage("GHOST_UNUSED", "deleted", (set) => set.put("ghost-file-ff.img", set.read("ghost-file-1.img"))),
  damage("GHOST_MODE", "deleted", (set) => set.set("ghost-file-7.img[0].mode", 0o140644)),
  damage("DELETED_TYPE", "deleted", (set) => set.set("ghost-file-7.img[0].mode", 0o100755)),
  damage("GHOST_CHUNKS", "deleted", (set) => set.set("ghost-file-4.img[2].off", 0n)),
  damage(
    "GHOST_CHUNKS",
    "deleted",
    (set) => set.set("ghost-file-4.img[0].size", 4096n),
    ["GHOST_SIZE"],
    "behind the end",
  ),
  damage("GHOST_SIZE", "deleted", (set) =>
    set.put("ghost-file-2.img", set.read("ghost-file-2.img").subarray(0, -9)),
  ),
  damage("LINK_REMAP_CHECKED", "deleted", (set) => set.set("files.img[11].reg.size", 200n)),
];

/** References from one record to another. */
export const referenceCases = [
  damage("FS_CWD", "logger", (set) => set.set("fs-1000.img[0].cwd_id", 99), ["FILE_UNUSED"]),
  damage("FS_ROOT", "logger", (set) => set.set("fs-1000.img[0].root_id", 99), ["FILE_UNUSED"]),
  damage("EXE_MEMFD", "threads", (set) => set.set("mm-1000.img[0].exe_file_id", MEMFD)),
  damage("MM_EXE", "logger", (set) => set.set("mm-1000.img[0].exe_file_id", 99)),
  damage("VMA_FILE", "logger", (set) => set.set("mm-1000.img[0].vmas[0].shmid", 99n)),
  damage("VMA_MEMFD", "threads", (set) => set.set("mm-1000.img[0].vmas[17].shmid", 99n), ["FILE_UNUSED"]),
  damage(
    "VMA_SOCKET",
    "sockets",
    (set) => set.set("mm-1000.img[0].vmas[5].status", 0x801).set("mm-1000.img[0].vmas[5].shmid", 99n),
    ["PAGEMAP_OUTSIDE"],
  ),
  damage("VMA_SYSV", "container", (set) => set.set("mm-1.img[0].vmas[7].shmid", 99n)),
  damage(
    "VMA_SHMEM",
    "threads",
    (set) => set.set("mm-1000.img[0].vmas[17].status", 0x101).set("mm-1000.img[0].vmas[17].shmid", 99n),
    ["FILE_UNUSED"],
  ),
  damage("MEMFD_INODE", "threads", (set) => set.set("files.img[1].memfd.inode_id", 99)),
  damage("MEMFD_PAGES", "threads", (set) => set.remove("pagemap-shmem-1455.img")),
  damage("SYSV_PAGES", "container", (set) => set.remove("pagemap-shmem-0.img")),
  damage("FIFO_NODE", "deleted", (set) => set.set("files.img[14].fifo.regf_id", 99), ["DELETED_TYPE"]),
  damage("TTY_NODE", "terminal", (set) => set.set("files.img[5].tty.regf_id", 99), ["FILE_UNUSED"]),
  damage("TUN_NODE", "logger", (set) => addFile(set, { type: 15, id: 99, tunf: { id: 99 } }), [
    "FILE_UNUSED",
  ]),
  damage("TTY_INFO", "terminal", (set) => set.set("files.img[5].tty.tty_info_id", 99)),
  damage("TTY_DATA", "terminal", (set) => set.set("tty-data.img[0].tty_id", 99)),
  damage("PIPE_DATA", "tree", (set) => set.set("pipes-data.img[0].pipe_id", 99)),
  damage("FIFO_DATA", "deleted", (set) => set.set("fifo-data.img[0].pipe_id", 99)),
  damage("UNIX_PEER", "sockets", (set) => set.set("files.img[4].usk.peer", 99)),
  damage("QUEUE_SOCKET", "sockets", (set) => set.set("sk-queues.img[0].id_for", 99)),
  damage("QUEUE_RIGHTS", "sockets", (set) => set.set("sk-queues.img[12].scm[0].rights[0]", 99), [
    "FILE_UNUSED",
  ]),
  damage("TCP_STREAM", "sockets", (set) => set.remove("tcp-stream-3fa43.img")),
  damage("SOCKET_NETNS", "container", (set) => set.set("files.img[5].isk.ns_id", 99)),
  damage("FOWN_OWNER", "terminal", (set) => set.set("files.img[8].usk.fown.pid", 99)),
  damage("FILE_MOUNT", "container", (set) => set.set("files.img[3].reg.mnt_id", 999)),
  damage(
    "UNIX_MOUNT",
    "container",
    (set) => addFile(set, { type: 5, id: 99, usk: { ...UNIX_SOCKET, mnt_id: 999 } }),
    ["FILE_UNUSED"],
  ),
  damage(
    "INOTIFY_MOUNT",
    "container",
    (set) => addFile(set, { type: 8, id: 99, ify: { id: 99, flags: 0, fown: NO_OWNER, wd: [WATCH] } }),
    ["FILE_UNUSED"],
  ),
  damage(
    "FANOTIFY_MOUNT",
    "container",
    (set) =>
      addFile(set, {
        type: 12,
        id: 99,
        ffy: { id: 99, flags: 0, fown: NO_OWNER, faflags: 0, evflags: 0, mark: [MARK] },
      }),
    ["FILE_UNUSED"],
  ),
  damage("SECCOMP_FILTER", "threads", (set) =>
    set
      .set("core-1005.img[0].thread_core.seccomp_mode", 2)
      .set("core-1005.img[0].thread_core.seccomp_filter", 7),
  ),
  damage(
    "SECCOMP_CHAIN",
    "threads",
    (set) => set.set("seccomp.img[0].seccomp_filters[0].prev", 7),
    [],
    "a filter that is not there",
  ),
  damage("CGROUP_SET", "logger", (set) => set.set("core-1000.img[0].thread_core.cg_set", 99)),
  damage("NETDEV_MASTER", "container", (set) => set.set("netdev-10.img[0].master", 99)),
  damage("NETDEV_PEER", "container", (set) =>
    set.set("netdev-10.img[0].peer_nsid", 10).set("netdev-10.img[0].peer_ifindex", 99),
  ),
  damage("NETNS_ID", "container", (set) =>
    set.set("netns-10.img[0].nsids", [{ target_ns_id: 99, netnsid_value: 0 }]),
  ),
  damage(
    "NS_FILE",
    "logger",
    (set) => addFile(set, { type: 14, id: 99, nsf: { id: 99, ns_id: 99, ns_cflag: 0x04000000, flags: 0 } }),
    ["FILE_UNUSED"],
  ),
  damage(
    "PIDFD_TASK",
    "logger",
    (set) =>
      addFile(set, { type: 20, id: 99, pidfd: { id: 99, ino: 1, flags: 0, nspid: 4242, fown: NO_OWNER } }),
    ["FILE_UNUSED"],
  ),
  damage("BPF_DATA", "logger", (set) => addFile(set, { type: 19, id: 99, bpf: BPF_MAP }), ["FILE_UNUSED"]),
  damage(
    "EXT_IMAGE",
    "logger",
    (set) => addFile(set, { type: 16, id: 99, ext: { id: 99, fown: NO_OWNER } }),
    ["FILE_UNUSED"],
  ),
  damage("AUTOFS_GROUP", "logger", (set) =>
    set.add(IMAGES.AUTOFS, "autofs-77.img", IMAGES.AUTOFS.entries[0].message, {
      fd: 1,
      pgrp: 99,
      timeout: 1,
      minproto: 5,
      maxproto: 5,
      mode: 1,
    }),
  ),
  damage("TIMER_THREAD", "threads", (set) =>
    set
      .set("core-1000.img[0].tc.timers.posix[0].it_sigev_notify", 4)
      .set("core-1000.img[0].tc.timers.posix[0].notify_thread_id", 99),
  ),
];

const SOCKET_OPTIONS = {
  so_sndbuf: 1,
  so_rcvbuf: 1,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
  so_filter: [],
};
const UNIX_SOCKET = {
  id: 99,
  ino: 99,
  type: 1,
  state: 10,
  flags: 2,
  uflags: 0,
  backlog: 1,
  peer: 0,
  fown: NO_OWNER,
  opts: SOCKET_OPTIONS,
  name: Buffer.from("\0name"),
  ns_id: 10,
};
const HANDLE = { bytes: 8, type: 1, handle: [1n], mnt_id: 999 };
const WATCH = { id: 0, i_ino: 1n, mask: 1, ignored_mask: 0, s_dev: 1, wd: 1, f_handle: HANDLE };
const MARK = { id: 0, type: 2, mflags: 0, mask: 1, ignored_mask: 0, s_dev: 1, me: { mnt_id: 999 } };
const BPF_MAP = {
  id: 99,
  flags: 2,
  pos: 0n,
  fown: NO_OWNER,
  map_type: 1,
  key_size: 4,
  value_size: 4,
  map_id: 99,
  max_entries: 1,
  map_flags: 0,
  memlock: 0n,
  frozen: false,
  map_name: "m",
  ifindex: 0,
};
