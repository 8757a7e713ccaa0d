import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { damage } from "../case.js";

const MM = "mm-1000.img[0]";
const PAGEMAP = "pagemap-1000.img";

/** Mappings, pages, parents. */
export const memoryCases = [
  damage("VMA_RANGE", "threads", (set) => set.set(`${MM}.vmas[7].end`, 0x7ff35c019800n)),
  damage("VMA_RANGE", "threads", (set) => set.set(`${MM}.vmas[7].end`, 0x7ff35c019000n), [], "empty"),
  damage("VMA_OVERLAP", "threads", (set) => set.set(`${MM}.vmas[7].end`, 0x7ff35c01b000n)),
  damage("VMA_SHARED", "threads", (set) => set.set(`${MM}.vmas[8].flags`, 0x21)),
  damage("VMA_DROPPABLE", "threads", (set) => set.set(`${MM}.vmas[0].flags`, 8)),
  damage("VMA_MAP_TYPE", "threads", (set) => set.set(`${MM}.vmas[8].flags`, 0x20)),
  damage("VMA_GUARD", "threads", (set) =>
    set
      .set(`${MM}.vmas[23].status`, 0x10201)
      .set(`${MM}.vmas[23].start`, 0x1000n)
      .set(`${MM}.vmas[23].end`, 0x2000n),
  ),
  damage("MM_RANGES", "logger", (set) => set.set(`${MM}.mm_end_code`, 0n)),
  damage(
    "MM_RANGES",
    "logger",
    (set) => set.set(`${MM}.mm_env_end`, 0xffff_ffff_ffff_0000n),
    [],
    "the kernel's half",
  ),
  damage("MM_AUXV", "logger", (set) => set.set(`${MM}.mm_saved_auxv[0]`, undefined)),
  damage("AIO_RING", "logger", (set) => set.set(`${MM}.aios`, [{ id: 0x1000n, nr_req: 1, ring_len: 4096 }])),
  damage("PAGES_MISSING", "logger", (set) => set.remove("pages-1.img")),
  damage("PAGES_SHARED", "terminal", (set) =>
    set.put("pagemap-1005.img", set.read("pagemap-1000.img")).put("mm-1005.img", set.read("mm-1000.img")),
  ),
  damage("PAGES_SIZE", "logger", (set) => set.put("pages-1.img", set.read("pages-1.img").subarray(0, 4096))),
  damage(
    "PAGES_SIZE",
    "logger",
    (set) => set.put("pages-1.img", Buffer.concat([set.read("pages-1.img"), Buffer.alloc(1)])),
    [],
    "too long",
  ),
  damage(
    "PAGEMAP_BLOCKS",
    "logger",
    (set) =>
      set
        .set("inventory.img[0].img_version", 3)
        .set("inventory.img[0].compress", 1)
        .set(`${PAGEMAP}[1].blocks`, {
          block_sizes: [9, 9, 9, 9, 9, 9, 9],
          total_payload_size: 1n,
          pages_per_block: 1,
        }),
    ["IMAGE_VERSION"],
  ),
  damage("PAGEMAP_COUNT", "threads", (set) => set.set(`${PAGEMAP}[1].nr_pages`, undefined), ["PAGES_SIZE"]),
  damage("PAGEMAP_ORDER", "threads", (set) => set.swap(PAGEMAP, 2), []),
  damage("PAGEMAP_ORDER", "threads", (set) => set.set(`${PAGEMAP}[1].vaddr`, 0x401800n), [], "unaligned"),
  damage("PAGEMAP_ORDER", "threads", (set) => set.set(`${PAGEMAP}[4].vaddr`, 0x4c1000n), [], "overlapping"),
  damage("PAGEMAP_FLAGS", "logger", (set) => set.set(`${PAGEMAP}[1].flags`, 5)),
  damage("PAGEMAP_FLAGS", "logger", (set) => set.set(`${PAGEMAP}[1].flags`, 20), [], "an unknown bit"),
  damage("PAGEMAP_LAZY", "logger", (set) => set.set(`${PAGEMAP}[1].flags`, 2), ["PAGES_SIZE"]),
  damage("PAGEMAP_OUTSIDE", "threads", (set) => set.set(`${PAGEMAP}[10].vaddr`, 0x7ff35c051000n)),
  damage("PARENT_MISSING", "logger", (set) => set.set(`${PAGEMAP}[1].flags`, 1), ["PAGES_SIZE"]),
];

/** Times, limits, credentials, seccomp, control groups, mounts, terminals, pipes. */
export const taskCases = [
  damage("FIELD_VALUE", "threads", (set) => set.set("core-1000.img[0].tc.timers.real.iusec", 1_000_000n)),
  damage("FIELD_VALUE", "threads", (set) => set.set("files.img[7].tfd.vnsec", 1_000_000_000n), [], "timerfd"),
  damage(
    "FIELD_VALUE",
    "threads",
    (set) => set.set("core-1000.img[0].tc.timers.posix[0].vsec", 1n << 63n),
    [],
    "negative",
  ),
  damage("TIMER_DUPLICATE", "threads", (set) => set.set("core-1000.img[0].tc.timers.posix[1].it_id", 0)),
  damage("RLIMIT_RANGE", "threads", (set) =>
    set.set("core-1000.img[0].tc.rlimits.rlimits[7]", { cur: 10n, max: 9n }),
  ),
  damage("RLIMIT_COUNT", "threads", (set) => set.set("core-1000.img[0].tc.rlimits.rlimits[15]", undefined)),
  damage("CREDS_MISSING", "threads", (set) => set.set("core-1006.img[0].thread_core.creds", undefined)),
  damage("CREDS_WORDS", "logger", (set) =>
    set.set("core-1000.img[0].thread_core.creds.cap_inh[1]", undefined),
  ),
  damage(
    "CREDS_CAPABILITIES",
    "logger",
    (set) => set.set("core-1000.img[0].thread_core.creds.cap_prm", [0, 0]),
    [],
    "not permitted",
  ),
  damage(
    "CREDS_CAPABILITIES",
    "threads",
    (set) => set.set("core-1000.img[0].thread_core.creds.cap_amb", [1, 0]),
    [],
    "ambient but not inheritable",
  ),
  damage("RSEQ_AREA", "threads", (set) =>
    set.set("core-1000.img[0].thread_core.rseq_entry.rseq_abi_pointer", 8n),
  ),
  damage("TASK_STOP_SIGNAL", "logger", (set) => set.set("core-1000.img[0].tc.stop_signo", 19)),
  damage("SIGNAL_QUEUE", "threads", (set) =>
    set.set("core-1000.img[0].tc.signals_s.signals[0].siginfo", Buffer.alloc(128, 65)),
  ),
  damage("LSM_LABEL", "logger", (set) =>
    set.set("core-1000.img[0].thread_core.creds.lsm_profile", "docker-default"),
  ),
  damage("SECCOMP_CHAIN", "threads", (set) => set.set("seccomp.img[0].seccomp_filters[0].prev", 0)),
  damage(
    "SECCOMP_CHAIN",
    "threads",
    (set) => set.set("seccomp.img[0].seccomp_filters[0].filter", Buffer.alloc(9)),
    [],
    "half an instruction",
  ),
  damage("CGROUP_MEMBER", "container", (set) => set.set("cgroup.img[0].sets[0].ctls[1].name", "nope")),
  damage(
    "CGROUP_PATH",
    "container",
    (set) => set.set("cgroup.img[0].sets[0].ctls[0].path", "web"),
    [],
    "relative",
  ),
  damage(
    "CGROUP_MEMBER",
    "container",
    (set) => set.set("cgroup.img[0].sets[0].ctls[1].cgns_prefix", 9),
    [],
    "prefix",
  ),
  damage("MOUNT_DUPLICATE", "container", (set) => set.set("mountpoints-13.img[2].mnt_id", 70), [
    "FILE_MOUNT",
  ]),
  damage("MOUNT_ROOT", "container", (set) => set.set("mountpoints-13.img[1].parent_mnt_id", 5)),
  damage("MOUNT_BENEATH", "container", (set) => set.set("mountpoints-13.img[2].parent_mnt_id", 70)),
  damage(
    "MOUNT_CYCLE",
    "container",
    (set) =>
      set
        .set("mountpoints-13.img[1].parent_mnt_id", 69)
        .set("mountpoints-13.img[2].parent_mnt_id", 70)
        .set("mountpoints-13.img[1].mountpoint", "/tmp/a")
        .set("mountpoints-13.img[2].mountpoint", "/tmp/a"),
    [],
  ),
  damage("MOUNT_CONTENTS", "container", (set) => set.remove("tmpfs-dev-45.tar.gz.img")),
  damage("MOUNT_TYPE", "container", (set) => set.set("mountpoints-13.img[3].fstype", 99)),
  damage("TTY_PTY", "terminal", (set) => set.set("tty-info.img[0].pty", undefined)),
  damage("TTY_SETTINGS", "terminal", (set) => set.set("tty-info.img[0].winsize", undefined)),
  damage("TTY_DUPLICATE", "terminal", (set) => set.repeat("tty-info.img", 1)),
  damage("PIPE_CONTENTS", "tree", (set) => set.repeat("pipes-data.img", 0)),
  damage(
    "PIPE_CONTENTS",
    "tree",
    (set) => set.set("pipes-data.img[0].size", 100),
    ["PIPE_CAPACITY"],
    "too many bytes",
  ),
  damage("EPOLL_TARGET", "threads", (set) => set.set("files.img[10].epfd.tfd[0].tfd", 99)),
  damage("INOTIFY_WATCHES", "terminal", (set) => set.set("files.img[6].ify.wd[1]", WATCH)),
];

export const WATCH = {
  id: 0,
  i_ino: 1n,
  mask: 1,
  ignored_mask: 0,
  s_dev: 1,
  wd: 1,
  f_handle: { bytes: 8, type: 1, handle: [1n], path: "/tmp" },
};

/** Locks, sockets, and what criu itself does wrong. */
export const lockAndSocketCases = [
  damage("LOCK_KIND", "locks", (set) => set.set("filelocks.img[0].flag", 3)),
  damage("LOCK_TYPE", "locks", (set) => set.set("filelocks.img[0].type", 9)),
  damage("LOCK_RANGE", "locks", (set) => set.set("filelocks.img[0].start", -1n)),
  damage("LOCK_RANGE", "locks", (set) => set.set("filelocks.img[5].len", 7n), [], "part of a flock"),
  damage("LOCK_TASK", "locks", (set) => set.set("filelocks.img[0].pid", 4242)),
  damage("LOCK_FD", "locks", (set) => set.set("filelocks.img[0].fd", 99)),
  damage("LOCK_FILE", "sockets", (set) =>
    set.add(IMAGES.FILE_LOCKS, "filelocks.img", IMAGES.FILE_LOCKS.entries[0].message, {
      flag: 2,
      type: 1,
      pid: 1000,
      fd: 4,
      start: 0n,
      len: 0n,
    }),
  ),
  damage("LOCK_ACCESS", "locks", (set) => set.set("files.img[4].reg.flags", 0), [], "write lock, read only"),
  damage("LOCK_CONFLICT", "locks", (set) =>
    set.set("files.img[5].reg.name", "/var/lib/crimg-demo/locks/posix"),
  ),
  damage(
    "LOCK_CONFLICT",
    "locks",
    (set) => set.set("files.img[6].reg.name", "/var/lib/crimg-demo/locks/flock-exclusive"),
    [],
    "flock",
  ),
  damage("LEASE_ACCESS", "locks", (set) => set.set("files.img[8].reg.flags", 2)),
  damage(
    "UNIX_NAME_LENGTH",
    "sockets",
    (set) => set.set("files.img[13].usk.name", Buffer.from(`/${"x".repeat(120)}\0`)),
    [],
  ),
  damage("UNIX_NAME_END", "sockets", (set) => set.set("files.img[13].usk.name", Buffer.from("/run/socket"))),
  damage("UNIX_NAME_DIRECTORY", "sockets", (set) =>
    set.set("files.img[13].usk.name", Buffer.from("socket\0")).set("files.img[13].usk.name_dir", undefined),
  ),
  damage("UNIX_PERMISSIONS", "sockets", (set) => set.set("files.img[13].usk.file_perms", undefined)),
  damage("SOCKET_INODE", "sockets", (set) => set.set("files.img[13].usk.ino", 260668)),
  damage("INET_FAMILY", "sockets", (set) => set.set("files.img[25].isk.family", 17)),
  damage("INET_ADDRESS", "sockets", (set) => set.set("files.img[25].isk.src_addr", [1, 2])),
  damage("FIELD_VALUE", "sockets", (set) => set.set("files.img[25].isk.src_port", 70_000), [], "port"),
  damage("SOCKET_PEER", "sockets", (set) => set.set("files.img[5].usk.peer", 260662)),
  damage("SOCKET_RIGHTS", "sockets", (set) =>
    set.set(
      "sk-queues.img[12].scm[0].rights",
      Array.from({ length: 254 }, () => 22),
    ),
  ),
  damage("TCP_QUEUE", "sockets", (set) => set.set("tcp-stream-3fa43.img[0].unsq_len", 5)),
  damage("TCP_OPTIONS", "sockets", (set) => set.set("tcp-stream-3fa43.img[0].timestamp", undefined)),
  damage(
    "TCP_OPTIONS",
    "sockets",
    (set) => set.set("tcp-stream-3fa43.img[0].rcv_wscale", undefined),
    [],
    "window",
  ),

  damage(
    "CHILD_PID_LOWER",
    "tree",
    (set) => set.set("pstree.img[3].ppid", 0).set("pstree.img[3].ppid", 1004).set("pstree.img[4].ppid", 1013),
    ["TREE_PARENT"],
  ),
  damage("DEATH_SIGNAL", "logger", (set) => set.set("core-1000.img[0].thread_core.pdeath_sig", 9)),
  damage("LEASE_BREAKING", "locks", (set) => set.set("filelocks.img[8].type", 6)),
  damage("LEASE_BUILD_ID", "locks", (set) => set.set("files.img[9].reg.build_id", [1, 2, 3, 4, 5])),
  damage("LOCK_MAPPED", "locks", (set) =>
    set.set("files.img[0].reg.name", "/var/lib/crimg-demo/locks/posix"),
  ),
  damage("POLL_INTERRUPTED", "logger", (set) => set.set("core-1000.img[0].thread_info.gpregs.orig_ax", 7n)),
  damage("EVENTFD_SEMAPHORE", "threads", (set) => set.set("files.img[9].efd.flags", 0o4003)),
  damage("FIFO_ASYNC", "deleted", (set) => set.set("files.img[13].reg.flags", 34818 | 0x2000)),
];
