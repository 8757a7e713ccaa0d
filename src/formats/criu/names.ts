import { enumTable, flagTable } from "../../io/enums.js";
import {
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
  PROT_READ,
  PROT_WRITE,
} from "../../linux/mman.js";
import {
  __O_SYNC,
  __O_TMPFILE,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../../linux/open-flags.js";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  SOCKET_TYPES,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../linux/sockets.js";

/** Protection of a mapping, mmap(2). */
export const MMAP_PROT = flagTable(
  "mmap.prot",
  {
    PROT_READ,
    PROT_WRITE,
    PROT_EXEC,
  },
  {
    PROT_GROWSDOWN,
    PROT_GROWSUP,
  },
);

/** Kind of a mapping, mmap(2); numbers of x86-64. */
export const MMAP_FLAGS = flagTable(
  "mmap.flags",
  {
    MAP_SHARED,
    MAP_PRIVATE,
    MAP_DROPPABLE,
    MAP_ANON: MAP_ANONYMOUS,
    MAP_GROWSDOWN,
  },
  {
    MAP_LOCKED,
    MAP_NORESERVE,
    MAP_HUGETLB,
  },
);

/** CRIU's flags of a mapping, which determine the meaning of `vma_entry.shmid`. */
export const VMA_STATUS = flagTable(
  "mmap.status",
  {
    VMA_AREA_NONE: 0,
    VMA_AREA_REGULAR: 1,
    VMA_AREA_STACK: 2,
    VMA_AREA_VSYSCALL: 4,
    VMA_AREA_VDSO: 8,
    VMA_AREA_HEAP: 0x20,
    VMA_FILE_PRIVATE: 0x40,
    VMA_FILE_SHARED: 0x80,
    VMA_ANON_SHARED: 0x100,
    VMA_ANON_PRIVATE: 0x200,
    VMA_AREA_SYSVIPC: 0x400,
    VMA_AREA_SOCKET: 0x800,
    VMA_AREA_VVAR: 0x1000,
    VMA_AREA_AIORING: 0x2000,
    VMA_AREA_MEMFD: 0x4000,
    VMA_AREA_SHSTK: 0x8000,
    VMA_AREA_UPROBES: 0x20000,
    VMA_UNSUPP: 0x80000000,
  },
  {
    VMA_AREA_GUARD: 0x10000,
    VMA_EXT_PLUGIN: 0x8000000,
    VMA_CLOSE: 0x10000000,
    VMA_NO_PROT_WRITE: 0x20000000,
    VMA_PREMMAPED: 0x40000000,
  },
);

/** Open flags as returned by fcntl(2) F_GETFL; numbers of x86-64. */
export const OPEN_FLAGS = flagTable(
  "rfile.flags",
  {
    O_WRONLY,
    O_RDWR,
    O_CREAT,
    O_EXCL,
    O_NOCTTY,
    O_TRUNC,
    O_APPEND,
    O_NONBLOCK,
    O_DSYNC,
    FASYNC: O_ASYNC,
    O_DIRECT,
    O_LARGEFILE,
    O_DIRECTORY,
    O_NOFOLLOW,
    O_NOATIME,
    O_CLOEXEC,
  },
  {
    // Written by people, and never shown: no bit, and another name of FASYNC.
    O_RDONLY,
    O_ASYNC,
    __O_SYNC,
    O_PATH,
    __O_TMPFILE,
  },
);

/** Where the pages of a pagemap entry are. */
export const PAGEMAP_FLAG = { PE_PARENT: 1, PE_LAZY: 2, PE_PRESENT: 4 } as const;
export const PAGEMAP_FLAGS = flagTable("pmap.flags", PAGEMAP_FLAG, { PE_PAYLOAD_ALIGNED: 8 });

/** State of a task in `task_core_entry.task_state`. */
export const TASK_STATE = enumTable(
  "task_state",
  { alive: 1, zombie: 2, stopped: 3, helper: 6 },
  { Alive: 1, Zombie: 3, Stopped: 6 },
);

/** Socket family, socket(2). */
export const SK_FAMILY = enumTable("family", {
  UNIX: AF_UNIX,
  INET: AF_INET,
  INET6: AF_INET6,
  NETLINK: AF_NETLINK,
  PACKET: AF_PACKET,
});

/** Socket type, socket(2). */
export const SK_TYPE = SOCKET_TYPES;

const CRIT_SK_STATES = {
  ESTABLISHED: TCP_ESTABLISHED,
  SYN_SENT: 2,
  SYN_RECV: 3,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  TIME_WAIT: 6,
  CLOSE: TCP_CLOSE,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: TCP_LISTEN,
};

/** State of a socket; the kernel's TCP states, also used for unix sockets. */
export const SK_STATE = enumTable(
  "state",
  { ...CRIT_SK_STATES, CLOSING: 11, NEW_SYN_RECV: 12 },
  CRIT_SK_STATES,
);

const CRIT_SK_PROTOS = { IP: IPPROTO_IP, TCP: IPPROTO_TCP, UDP: IPPROTO_UDP, UDPLITE: IPPROTO_UDPLITE };

/** Protocol of an inet socket, ip(7). */
export const SK_PROTO = enumTable(
  "proto",
  { ...CRIT_SK_PROTOS, ICMP: IPPROTO_ICMP, ICMPV6: IPPROTO_ICMPV6 },
  CRIT_SK_PROTOS,
);
