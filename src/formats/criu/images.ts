import { type ImageKind, kind, many, one, raw } from "./image-kind.js";
import { APPARMOR_ENTRY } from "./tables/apparmor.js";
import { AUTOFS_ENTRY } from "./tables/autofs.js";
import { BINFMT_MISC_ENTRY } from "./tables/binfmt-misc.js";
import { BPFMAP_DATA_ENTRY, BPFMAP_FILE_ENTRY } from "./tables/bpfmap.js";
import { CGROUP_ENTRY } from "./tables/cgroup.js";
import { CORE_ENTRY, TASK_KOBJ_IDS_ENTRY } from "./tables/core.js";
import { CPUINFO_ENTRY } from "./tables/cpuinfo.js";
import { CREDS_ENTRY } from "./tables/creds.js";
import { EVENTFD_FILE_ENTRY } from "./tables/eventfd.js";
import { EVENTPOLL_FILE_ENTRY, EVENTPOLL_TFD_ENTRY } from "./tables/eventpoll.js";
import { EXT_FILE_ENTRY } from "./tables/ext-file.js";
import { FDINFO_ENTRY, FILE_ENTRY } from "./tables/fdinfo.js";
import { FILE_LOCK_ENTRY } from "./tables/file-lock.js";
import { FS_ENTRY } from "./tables/fs.js";
import {
  FANOTIFY_FILE_ENTRY,
  FANOTIFY_MARK_ENTRY,
  INOTIFY_FILE_ENTRY,
  INOTIFY_WD_ENTRY,
  IRMAP_CACHE_ENTRY,
} from "./tables/fsnotify.js";
import { GHOST_CHUNK_ENTRY, GHOST_FILE_ENTRY } from "./tables/ghost-file.js";
import { INVENTORY_ENTRY } from "./tables/inventory.js";
import { IPC_MSG, IPC_MSG_ENTRY, IPC_SEM_ENTRY, IPC_SHM_ENTRY, IPC_VAR_ENTRY } from "./tables/ipc.js";
import { MEMFD_INODE_ENTRY } from "./tables/memfd.js";
import { MM_ENTRY, VMA_ENTRY } from "./tables/mm.js";
import { MNT_ENTRY } from "./tables/mnt.js";
import { NET_DEVICE_ENTRY, NETNS_ENTRY } from "./tables/netns.js";
import { NS_FILE_ENTRY, PIDNS_ENTRY, TIMENS_ENTRY, USERNS_ENTRY, UTSNS_ENTRY } from "./tables/ns.js";
import { PAGEMAP_ENTRY, PAGEMAP_HEAD } from "./tables/pagemap.js";
import { PIDFD_ENTRY } from "./tables/pidfd.js";
import { FIFO_ENTRY, PIPE_DATA_ENTRY, PIPE_ENTRY } from "./tables/pipe.js";
import { PSTREE_ENTRY } from "./tables/pstree.js";
import { REG_FILE_ENTRY } from "./tables/regfile.js";
import { REMAP_FILE_PATH_ENTRY } from "./tables/remap-file-path.js";
import { RLIMIT_ENTRY } from "./tables/rlimit.js";
import { SECCOMP_ENTRY } from "./tables/seccomp.js";
import { SA_ENTRY } from "./tables/sigaction.js";
import { SIGINFO_ENTRY, SIGNALFD_ENTRY } from "./tables/siginfo.js";
import { INET_SK_ENTRY, TCP_STREAM_ENTRY } from "./tables/sk-inet.js";
import { NETLINK_SK_ENTRY } from "./tables/sk-netlink.js";
import { PACKET_SOCK_ENTRY } from "./tables/sk-packet.js";
import { SK_PACKET_ENTRY } from "./tables/sk-queue.js";
import { UNIX_SK_ENTRY } from "./tables/sk-unix.js";
import { STATS_ENTRY } from "./tables/stats.js";
import { ITIMER_ENTRY, POSIX_TIMER_ENTRY, TIMERFD_ENTRY } from "./tables/timer.js";
import { TTY_DATA_ENTRY, TTY_FILE_ENTRY, TTY_INFO_ENTRY } from "./tables/tty.js";
import { TUNFILE_ENTRY } from "./tables/tun.js";

/** Every image kind of CRIU; adding one is one row. Files are named by the pattern: %u a decimal id, %x a hexadecimal one, %s a word. */
export const IMAGES = {
  INVENTORY: kind(
    "INVENTORY",
    "inventory.img",
    0x58313116,
    "set",
    "what the set is: version, ids of the namespaces of criu itself, LSM",
    [one(INVENTORY_ENTRY)],
    { head: "none", since: "0.1" },
  ),
  PSTREE: kind("PSTREE", "pstree.img", 0x50273030, "set", "the process tree", [many(PSTREE_ENTRY)], {
    since: "0.1",
  }),
  CORE: kind(
    "CORE",
    "core-%u.img",
    0x55053847,
    "task",
    "registers, signal state and credentials of a task or thread",
    [one(CORE_ENTRY)],
    { since: "0.1" },
  ),
  IDS: kind(
    "IDS",
    "ids-%u.img",
    0x54432030,
    "task",
    "which kernel objects a task shares with others",
    [one(TASK_KOBJ_IDS_ENTRY)],
    { since: "0.4" },
  ),
  MM: kind(
    "MM",
    "mm-%u.img",
    0x57492820,
    "task",
    "address space of a task and its mappings",
    [one(MM_ENTRY)],
    { since: "0.1" },
  ),
  FS: kind(
    "FS",
    "fs-%u.img",
    0x51403912,
    "task",
    "current directory, root and umask of a task",
    [one(FS_ENTRY)],
    { since: "0.1" },
  ),
  CREDS: kind("CREDS", "creds-%u.img", 0x54023547, "task", "credentials of a task", [one(CREDS_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  FDINFO: kind("FDINFO", "fdinfo-%u.img", 0x56213732, "task", "one descriptor table", [many(FDINFO_ENTRY)], {
    since: "0.1",
  }),
  PAGEMAP: kind(
    "PAGEMAP",
    "pagemap-%u.img",
    0x56084025,
    "task",
    "which pages of a task are in the pages file",
    [one(PAGEMAP_HEAD), many(PAGEMAP_ENTRY)],
    { since: "0.5" },
  ),
  SHMEM_PAGEMAP: kind(
    "SHMEM_PAGEMAP",
    "pagemap-shmem-%u.img",
    0x56084025,
    "object",
    "which pages of a shared memory segment are in the pages file",
    [one(PAGEMAP_HEAD), many(PAGEMAP_ENTRY)],
    { since: "0.5" },
  ),
  PAGES: raw("PAGES", "pages-%u.img", "object", "memory pages: page contents back to back", { since: "0.1" }),
  FILES: kind(
    "FILES",
    "files.img",
    0x56303138,
    "set",
    "open file descriptions of all tasks",
    [many(FILE_ENTRY)],
    { since: "3.4" },
  ),
  REMAP_FPATH: kind(
    "REMAP_FPATH",
    "remap-fpath.img",
    0x59133954,
    "set",
    "how deleted paths come back",
    [many(REMAP_FILE_PATH_ENTRY)],
    { since: "0.1" },
  ),
  GHOST_FILE: kind(
    "GHOST_FILE",
    "ghost-file-%x.img",
    0x52583605,
    "object",
    "a deleted file with its contents",
    [one(GHOST_FILE_ENTRY), many(GHOST_CHUNK_ENTRY)],
    {
      payload: [
        {
          after: GHOST_FILE_ENTRY,
          parts: [{ name: "data", length: "rest" }],
          when: (entry) => entry.chunks !== true,
          isExtraOptional: true,
        },
        {
          after: GHOST_CHUNK_ENTRY,
          parts: [{ name: "data", length: { field: "len" } }],
          isExtraOptional: true,
        },
      ],
      since: "0.1",
    },
  ),
  FILE_LOCKS: kind(
    "FILE_LOCKS",
    "filelocks.img",
    0x54323616,
    "set",
    "file locks and leases",
    [many(FILE_LOCK_ENTRY)],
    { since: "0.4" },
  ),
  PIPES_DATA: kind(
    "PIPES_DATA",
    "pipes-data.img",
    0x56453709,
    "set",
    "bytes in pipes",
    [many(PIPE_DATA_ENTRY)],
    {
      payload: [{ after: PIPE_DATA_ENTRY, parts: [{ name: "data", length: { field: "bytes" } }] }],
      since: "0.1",
    },
  ),
  FIFO_DATA: kind(
    "FIFO_DATA",
    "fifo-data.img",
    0x59333054,
    "set",
    "bytes in fifos",
    [many(PIPE_DATA_ENTRY)],
    {
      payload: [{ after: PIPE_DATA_ENTRY, parts: [{ name: "data", length: { field: "bytes" } }] }],
      since: "0.1",
    },
  ),
  SK_QUEUES: kind(
    "SK_QUEUES",
    "sk-queues.img",
    0x56264026,
    "set",
    "packets in unix socket queues",
    [many(SK_PACKET_ENTRY)],
    {
      payload: [{ after: SK_PACKET_ENTRY, parts: [{ name: "data", length: { field: "length" } }] }],
      since: "0.1",
    },
  ),
  TCP_STREAM: kind(
    "TCP_STREAM",
    "tcp-stream-%x.img",
    0x51465506,
    "object",
    "state and queues of a TCP connection",
    [one(TCP_STREAM_ENTRY)],
    {
      payload: [
        {
          after: TCP_STREAM_ENTRY,
          parts: [
            { name: "inq", length: { field: "inq_len" } },
            { name: "outq", length: { field: "outq_len" } },
          ],
        },
      ],
      since: "0.1",
    },
  ),
  TTY_INFO: kind("TTY_INFO", "tty-info.img", 0x59453036, "set", "terminals", [many(TTY_INFO_ENTRY)], {
    since: "0.2",
  }),
  TTY_DATA: kind(
    "TTY_DATA",
    "tty-data.img",
    0x59413026,
    "set",
    "unread bytes of terminals",
    [many(TTY_DATA_ENTRY)],
    { since: "2.3" },
  ),
  MEMFD_INODE: kind(
    "MEMFD_INODE",
    "memfd.img",
    0x48453499,
    "set",
    "memory files and shared anonymous memory",
    [many(MEMFD_INODE_ENTRY)],
    { since: "3.14" },
  ),
  BPFMAP_DATA: kind(
    "BPFMAP_DATA",
    "bpfmap-data.img",
    0x64324033,
    "set",
    "contents of bpf maps",
    [many(BPFMAP_DATA_ENTRY)],
    {
      payload: [
        {
          after: BPFMAP_DATA_ENTRY,
          parts: [
            { name: "keys", length: { field: "keys_bytes" } },
            { name: "values", length: { field: "values_bytes" } },
          ],
          json: "joined",
        },
      ],
      since: "3.15",
    },
  ),
  BPFMAP_FILE: kind(
    "BPFMAP_FILE",
    "bpfmap-file.img",
    0x57506142,
    "set",
    "open bpf maps",
    [many(BPFMAP_FILE_ENTRY)],
    { status: "unused", since: "3.15" },
  ),
  CGROUP: kind(
    "CGROUP",
    "cgroup.img",
    0x59383330,
    "set",
    "control groups of the tasks",
    [one(CGROUP_ENTRY)],
    { since: "1.3-rc2" },
  ),
  SECCOMP: kind("SECCOMP", "seccomp.img", 0x64413049, "set", "seccomp filters", [one(SECCOMP_ENTRY)], {
    since: "1.8",
  }),
  APPARMOR: kind("APPARMOR", "apparmor.img", 0x59423047, "set", "AppArmor policies", [one(APPARMOR_ENTRY)], {
    since: "3.16",
  }),
  CPUINFO: kind(
    "CPUINFO",
    "cpuinfo.img",
    0x61404013,
    "set",
    "features of the CPU at the dump",
    [one(CPUINFO_ENTRY)],
    { since: "1.4" },
  ),
  UTSNS: kind("UTSNS", "utsns-%u.img", 0x54473203, "namespace", "host and domain name", [one(UTSNS_ENTRY)], {
    since: "0.1",
  }),
  TIMENS: kind(
    "TIMENS",
    "timens-%u.img",
    0x43114433,
    "namespace",
    "clocks at the dump",
    [one(TIMENS_ENTRY)],
    { since: "3.14" },
  ),
  PIDNS: kind(
    "PIDNS",
    "pidns-%u.img",
    0x61157326,
    "namespace",
    "an external pid namespace",
    [one(PIDNS_ENTRY)],
    { since: "3.15" },
  ),
  USERNS: kind("USERNS", "userns-%u.img", 0x55474906, "namespace", "uid and gid maps", [one(USERNS_ENTRY)], {
    since: "1.4",
  }),
  MNTS: kind(
    "MNTS",
    "mountpoints-%u.img",
    0x55563928,
    "namespace",
    "mounts of a mount namespace",
    [many(MNT_ENTRY)],
    { since: "0.7" },
  ),
  IPC_VAR: kind(
    "IPC_VAR",
    "ipcns-var-%u.img",
    0x53115007,
    "namespace",
    "limits of an IPC namespace",
    [one(IPC_VAR_ENTRY)],
    { since: "0.7" },
  ),
  IPCNS_SHM: kind(
    "IPCNS_SHM",
    "ipcns-shm-%u.img",
    0x46283044,
    "namespace",
    "SysV shared memory segments",
    [many(IPC_SHM_ENTRY)],
    {
      payload: [
        {
          after: IPC_SHM_ENTRY,
          parts: [{ name: "data", length: { field: "size" }, padTo: 4 }],
          when: (entry) => entry.in_pagemaps !== true,
        },
      ],
      since: "0.1",
    },
  ),
  IPCNS_MSG: kind(
    "IPCNS_MSG",
    "ipcns-msg-%u.img",
    0x55453737,
    "namespace",
    "SysV message queues",
    [many(IPC_MSG_ENTRY)],
    {
      payload: [
        {
          after: IPC_MSG_ENTRY,
          messages: { table: IPC_MSG, count: "qnum", length: { field: "msize" }, padTo: 8 },
        },
      ],
      since: "0.1",
    },
  ),
  IPCNS_SEM: kind(
    "IPCNS_SEM",
    "ipcns-sem-%u.img",
    0x59573019,
    "namespace",
    "SysV semaphore sets",
    [many(IPC_SEM_ENTRY)],
    {
      payload: [
        {
          after: IPC_SEM_ENTRY,
          parts: [{ name: "values", length: { field: "nsems", unit: 2 }, padTo: 8 }],
          json: "u16",
        },
      ],
      since: "0.1",
    },
  ),
  NETDEV: kind(
    "NETDEV",
    "netdev-%u.img",
    0x57373951,
    "namespace",
    "network devices",
    [many(NET_DEVICE_ENTRY)],
    { since: "0.2" },
  ),
  NETNS: kind(
    "NETNS",
    "netns-%u.img",
    0x55933752,
    "namespace",
    "settings of a network namespace",
    [one(NETNS_ENTRY)],
    { since: "1.6" },
  ),
  IFADDR: raw("IFADDR", "ifaddr-%u.img", "namespace", "addresses as `ip addr save` writes them", {
    since: "0.2",
  }),
  ROUTE: raw("ROUTE", "route-%u.img", "namespace", "IPv4 routes as `ip route save` writes them", {
    since: "0.2",
  }),
  ROUTE6: raw("ROUTE6", "route6-%u.img", "namespace", "IPv6 routes as `ip -6 route save` writes them", {
    since: "1.8",
  }),
  RULE: raw("RULE", "rule-%u.img", "namespace", "routing rules as `ip rule save` writes them", {
    since: "1.8",
  }),
  IPTABLES: raw("IPTABLES", "iptables-%u.img", "namespace", "text of iptables-save", { since: "0.8" }),
  IP6TABLES: raw("IP6TABLES", "ip6tables-%u.img", "namespace", "text of ip6tables-save", { since: "1.8" }),
  NFTABLES: raw("NFTABLES", "nftables-%u.img", "namespace", "text of `nft list ruleset`", { since: "3.14" }),
  NETNF_CT: raw("NETNF_CT", "netns-ct-%u.img", "namespace", "netlink messages of connection tracking", {
    since: "2.0",
  }),
  NETNF_EXP: raw("NETNF_EXP", "netns-exp-%u.img", "namespace", "netlink messages of expected connections", {
    since: "2.0",
  }),
  AUTOFS: kind("AUTOFS", "autofs-%u.img", 0x49353943, "mount", "an autofs mount", [one(AUTOFS_ENTRY)], {
    since: "2.4",
  }),
  TMPFS_DEV: raw("TMPFS_DEV", "tmpfs-dev-%u.tar.gz.img", "mount", "gzip-compressed tar of a tmpfs", {
    since: "1.3-rc2",
  }),
  TMPFS_IMG: raw("TMPFS_IMG", "tmpfs-%u.tar.gz.img", "mount", "gzip-compressed tar of a tmpfs", {
    status: "old",
    since: "1.3-rc1",
  }),
  BINFMT_MISC: kind(
    "BINFMT_MISC",
    "binfmt-misc.img",
    0x67343323,
    "set",
    "binary format handlers",
    [many(BINFMT_MISC_ENTRY)],
    { since: "2.0" },
  ),
  BINFMT_MISC_OLD: kind(
    "BINFMT_MISC_OLD",
    "binfmt-misc-%u.img",
    0x67343323,
    "mount",
    "binary format handlers",
    [many(BINFMT_MISC_ENTRY)],
    { status: "old", since: "2.7" },
  ),
  REG_FILES: kind(
    "REG_FILES",
    "reg-files.img",
    0x50363636,
    "set",
    "open regular files",
    [many(REG_FILE_ENTRY)],
    { status: "old", since: "0.1" },
  ),
  EXT_FILES: kind(
    "EXT_FILES",
    "ext-files.img",
    0x59255641,
    "set",
    "files of plugins",
    [many(EXT_FILE_ENTRY)],
    { status: "old", since: "1.1-rc1" },
  ),
  NS_FILES: kind(
    "NS_FILES",
    "ns-files.img",
    0x61394011,
    "set",
    "open namespace files",
    [many(NS_FILE_ENTRY)],
    { status: "old", since: "0.6" },
  ),
  EVENTFD_FILE: kind(
    "EVENTFD_FILE",
    "eventfd.img",
    0x44523722,
    "set",
    "eventfds",
    [many(EVENTFD_FILE_ENTRY)],
    { status: "old", since: "0.7" },
  ),
  EVENTPOLL_FILE: kind(
    "EVENTPOLL_FILE",
    "eventpoll.img",
    0x45023858,
    "set",
    "epoll descriptors",
    [many(EVENTPOLL_FILE_ENTRY)],
    { status: "old", since: "0.7" },
  ),
  SIGNALFD: kind("SIGNALFD", "signalfd.img", 0x57323820, "set", "signalfds", [many(SIGNALFD_ENTRY)], {
    status: "old",
    since: "0.2",
  }),
  INOTIFY_FILE: kind(
    "INOTIFY_FILE",
    "inotify.img",
    0x48424431,
    "set",
    "inotify descriptors",
    [many(INOTIFY_FILE_ENTRY)],
    { status: "old", since: "0.7" },
  ),
  FANOTIFY_FILE: kind(
    "FANOTIFY_FILE",
    "fanotify.img",
    0x55096122,
    "set",
    "fanotify descriptors",
    [many(FANOTIFY_FILE_ENTRY)],
    { status: "old", since: "0.7" },
  ),
  PIPES: kind("PIPES", "pipes.img", 0x56513555, "set", "pipe ends", [many(PIPE_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  FIFO: kind("FIFO", "fifo.img", 0x58364939, "set", "fifo ends", [many(FIFO_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  UNIXSK: kind("UNIXSK", "unixsk.img", 0x54373943, "set", "unix sockets", [many(UNIX_SK_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  INETSK: kind("INETSK", "inetsk.img", 0x56443851, "set", "inet sockets", [many(INET_SK_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  PACKETSK: kind("PACKETSK", "packetsk.img", 0x60454618, "set", "packet sockets", [many(PACKET_SOCK_ENTRY)], {
    status: "old",
    since: "0.2",
  }),
  NETLINK_SK: kind(
    "NETLINK_SK",
    "netlinksk.img",
    0x58005614,
    "set",
    "netlink sockets",
    [many(NETLINK_SK_ENTRY)],
    { status: "old", since: "0.7" },
  ),
  TTY_FILES: kind("TTY_FILES", "tty.img", 0x59433025, "set", "open terminals", [many(TTY_FILE_ENTRY)], {
    status: "old",
    since: "0.7",
  }),
  TUNFILE: kind("TUNFILE", "tunfile.img", 0x57143751, "set", "open tun devices", [many(TUNFILE_ENTRY)], {
    status: "old",
    since: "0.7",
  }),
  TIMERFD: kind("TIMERFD", "timerfd.img", 0x50493712, "set", "timerfds", [many(TIMERFD_ENTRY)], {
    status: "old",
    since: "1.3",
  }),
  EVENTPOLL_TFD: kind(
    "EVENTPOLL_TFD",
    "eventpoll-tfd.img",
    0x44433746,
    "set",
    "targets of epoll descriptors",
    [many(EVENTPOLL_TFD_ENTRY)],
    { status: "old", since: "0.1" },
  ),
  INOTIFY_WD: kind(
    "INOTIFY_WD",
    "inotify-wd.img",
    0x54562009,
    "set",
    "inotify watches",
    [many(INOTIFY_WD_ENTRY)],
    { status: "old", since: "0.1" },
  ),
  FANOTIFY_MARK: kind(
    "FANOTIFY_MARK",
    "fanotify-mark.img",
    0x56506035,
    "set",
    "fanotify marks",
    [many(FANOTIFY_MARK_ENTRY)],
    { status: "old", since: "0.4" },
  ),
  PIDFD: kind("PIDFD", "pidfd.img", 0x54435556, "set", "pidfds", [many(PIDFD_ENTRY)], {
    status: "unused",
    since: "4.1",
  }),
  VMAS: kind("VMAS", "vmas-%u.img", 0x54123737, "task", "mappings of a task", [many(VMA_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  SIGACT: kind("SIGACT", "sigacts-%u.img", 0x55344201, "task", "signal actions of a task", [many(SA_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  RLIMIT: kind(
    "RLIMIT",
    "rlimit-%u.img",
    0x57113925,
    "task",
    "resource limits of a task",
    [many(RLIMIT_ENTRY)],
    { status: "old", since: "0.4" },
  ),
  ITIMERS: kind(
    "ITIMERS",
    "itimers-%u.img",
    0x57464056,
    "task",
    "interval timers of a task",
    [many(ITIMER_ENTRY)],
    { status: "old", since: "0.1" },
  ),
  POSIX_TIMERS: kind(
    "POSIX_TIMERS",
    "posix-timers-%u.img",
    0x52603957,
    "task",
    "POSIX timers of a task",
    [many(POSIX_TIMER_ENTRY)],
    { status: "old", since: "0.6" },
  ),
  SIGNAL: kind(
    "SIGNAL",
    "signal-s-%u.img",
    0x59255647,
    "task",
    "signals pending for a task",
    [many(SIGINFO_ENTRY)],
    { status: "old", since: "0.5" },
  ),
  PSIGNAL: kind(
    "PSIGNAL",
    "signal-p-%u.img",
    0x59255647,
    "task",
    "signals pending for a thread",
    [many(SIGINFO_ENTRY)],
    { status: "old", since: "0.5" },
  ),
  STATS: kind(
    "STATS",
    "stats-%s",
    0x57093306,
    "service",
    "statistics of a dump or restore",
    [one(STATS_ENTRY)],
    { head: "service", since: "0.6" },
  ),
  IRMAP_CACHE: kind(
    "IRMAP_CACHE",
    "irmap-cache",
    0x57004059,
    "service",
    "inode to path cache",
    [many(IRMAP_CACHE_ENTRY)],
    { head: "service", since: "1.2" },
  ),
} as const;

/** The kinds in table order. */
export const IMAGE_KINDS: readonly ImageKind[] = Object.values(IMAGES);
