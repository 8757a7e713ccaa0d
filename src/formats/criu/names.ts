import { enumTable, flagTable } from "../../io/enums.js";

/** Protection of a mapping, mmap(2). */
export const MMAP_PROT = flagTable(
  "mmap.prot",
  {
    PROT_READ: 1,
    PROT_WRITE: 2,
    PROT_EXEC: 4,
  },
  {
    PROT_GROWSDOWN: 0x1000000,
    PROT_GROWSUP: 0x2000000,
  },
);

/** Kind of a mapping, mmap(2); numbers of x86-64. */
export const MMAP_FLAGS = flagTable(
  "mmap.flags",
  {
    MAP_SHARED: 1,
    MAP_PRIVATE: 2,
    MAP_DROPPABLE: 8,
    MAP_ANON: 0x20,
    MAP_GROWSDOWN: 0x100,
  },
  {
    MAP_LOCKED: 0x2000,
    MAP_NORESERVE: 0x4000,
    MAP_HUGETLB: 0x40000,
  },
);

/** What CRIU noted about a mapping; decides what `vma_entry.shmid` means. */
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

/** Open flags as fcntl(F_GETFL) gives them; numbers of x86-64. */
export const OPEN_FLAGS = flagTable(
  "rfile.flags",
  {
    O_WRONLY: 1,
    O_RDWR: 2,
    O_CREAT: 0x40,
    O_EXCL: 0x80,
    O_NOCTTY: 0x100,
    O_TRUNC: 0x200,
    O_APPEND: 0x400,
    O_NONBLOCK: 0x800,
    O_DSYNC: 0x1000,
    FASYNC: 0x2000,
    O_DIRECT: 0x4000,
    O_LARGEFILE: 0x8000,
    O_DIRECTORY: 0x10000,
    O_NOFOLLOW: 0x20000,
    O_NOATIME: 0x40000,
    O_CLOEXEC: 0x80000,
  },
  {
    __O_SYNC: 0x100000,
    O_PATH: 0x200000,
    __O_TMPFILE: 0x400000,
  },
);

/** Where the pages of a pagemap entry are. */
export const PAGEMAP_FLAGS = flagTable(
  "pmap.flags",
  {
    PE_PARENT: 1,
    PE_LAZY: 2,
    PE_PRESENT: 4,
  },
  { PE_PAYLOAD_ALIGNED: 8 },
);

/** Seals of a memfd, fcntl(F_GET_SEALS). */
export const SEALS = flagTable(
  "seals.flags",
  {
    F_SEAL_SEAL: 1,
    F_SEAL_SHRINK: 2,
    F_SEAL_GROW: 4,
    F_SEAL_WRITE: 8,
    F_SEAL_FUTURE_WRITE: 0x10,
  },
  {
    F_SEAL_EXEC: 0x20,
  },
);

/** State of a task in `task_core_entry.task_state`. */
export const TASK_STATE = enumTable(
  "task_state",
  { alive: 1, zombie: 2, stopped: 3, helper: 6 },
  { Alive: 1, Zombie: 3, Stopped: 6 },
);

/** Socket family, socket(2). */
export const SK_FAMILY = enumTable("family", { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17 });

/** Socket type, socket(2). */
export const SK_TYPE = enumTable("type", { STREAM: 1, DGRAM: 2, RAW: 3, SEQPACKET: 5, PACKET: 10 });

const CRIT_SK_STATES = {
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  TIME_WAIT: 6,
  CLOSE: 7,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: 10,
};

/** State of a socket; numbers of the kernel's TCP states, used for unix sockets as well. */
export const SK_STATE = enumTable(
  "state",
  { ...CRIT_SK_STATES, CLOSING: 11, NEW_SYN_RECV: 12 },
  CRIT_SK_STATES,
);

/** Protocol of an inet socket, ip(7). */
export const SK_PROTO = enumTable(
  "proto",
  { IP: 0, ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58, UDPLITE: 136 },
  { IP: 0, TCP: 6, UDP: 17, UDPLITE: 136 },
);
