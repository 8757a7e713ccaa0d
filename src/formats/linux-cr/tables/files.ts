import { enumTable } from "../../../io/enums.js";
import { DESCRIPTORS, EVENTFD_COUNTER, EVENTFD_FLAGS, UMASK } from "../../../linux/files.js";
import { struct, word } from "../../../schema/struct.js";

/** FILE.f_type; from 1001 on crimg extensions. */
export const FILE_TYPE = {
  generic: 1,
  pipe: 2,
  fifo: 3,
  socket: 4,
  terminal: 5,
  epoll: 6,
  eventfd: 7,
  timerfd: 1001,
  signalfd: 1002,
  memfd: 1003,
  inotify: 1004,
} as const;
export const FILE_TYPES = enumTable("file_type", FILE_TYPE);

export const FILE_TABLE = struct(
  "FILE_TABLE",
  16,
  "A descriptor table: as many FILE_DESCs follow, each after its file if that is new",
  {
    fdt_nfds: word("s32", 8, { doc: "open descriptors", domain: DESCRIPTORS }),
  },
);

export const FILE_DESC = struct("FILE_DESC", 24, "One descriptor", {
  fd_objref: word("s32", 8, { doc: "the FILE" }),
  fd_descriptor: word("s32", 12, { domain: DESCRIPTORS }),
  fd_close_on_exec: word("u32", 16),
});

/** Common fields of all kinds of FILE. */
const COMMON = {
  f_type: word("u32", 8, { doc: "crimg extension from 1001 on", domain: FILE_TYPES }),
  f_mode: word("u32", 12, {
    doc: "FMODE bits: 1 read, 2 write, 4 seek …",
    show: { as: "hex" },
  }),
  f_flags: word("u32", 16, { doc: "open(2) flags", show: { as: "hex" } }),
  f_credref: word("s32", 20),
  f_pos: word("u64", 24, { doc: "offset in bytes" }),
  f_version: word("u64", 32),
  f_secref: word("s32", 40, { doc: "ptrref of the label, 0 for none" }),
} as const;

/** The same before labels were stored. */
const COMMON_0ABE2FE = {
  f_type: word("u32", 8, { domain: FILE_TYPES }),
  f_mode: word("u32", 12),
  f_flags: word("u32", 16),
  f_credref: word("s32", 20),
  f_pos: word("u64", 24),
  f_version: word("u64", 32),
} as const;

export const FILE = struct(
  "FILE",
  48,
  "An open file; for generic files and fifos its FILE_NAME follows",
  COMMON,
);

export const FILE_0ABE2FE = struct(
  "FILE",
  40,
  "FILE as header sets 0abe2fe to a53775e wrote it",
  COMMON_0ABE2FE,
);

export const FILE_PIPE = struct(
  "FILE/PIPE",
  56,
  "End of a pipe or fifo; the first end is followed by a PIPE_BUF",
  {
    ...COMMON,
    pipe_objref: word("s32", 48, { doc: "equal for both ends; not declared by an OBJREF" }),
  },
);

export const FILE_PIPE_0ABE2FE = struct("FILE/PIPE", 48, "FILE/PIPE of header sets before d55d4c8", {
  ...COMMON_0ABE2FE,
  pipe_objref: word("s32", 40),
});

export const FILE_SOCKET = struct("FILE/SOCKET", 56, "A socket, preceded by its SOCKET", {
  ...COMMON,
  sock_objref: word("s32", 48),
});

export const FILE_SOCKET_0ABE2FE = struct("FILE/SOCKET", 48, "FILE/SOCKET of header sets before d55d4c8", {
  ...COMMON_0ABE2FE,
  sock_objref: word("s32", 40),
});

export const FILE_TTY = struct("FILE/TTY", 56, "A terminal, preceded by its TTY", {
  ...COMMON,
  tty_objref: word("s32", 48),
});

export const FILE_TTY_0ABE2FE = struct("FILE/TTY", 48, "FILE/TTY of header sets before d55d4c8", {
  ...COMMON_0ABE2FE,
  tty_objref: word("s32", 40),
});

export const FILE_EVENTFD = struct("FILE/EVENTFD", 64, "An eventfd(2)", {
  ...COMMON,
  count: word("u64", 48, { doc: "value that a read would give", domain: EVENTFD_COUNTER }),
  flags: word("u32", 56, { doc: "eventfd(2) flags", domain: EVENTFD_FLAGS, kept: false }),
});

export const FILE_EVENTFD_0ABE2FE = struct("FILE/EVENTFD", 56, "FILE/EVENTFD of header sets before d55d4c8", {
  ...COMMON_0ABE2FE,
  count: word("u64", 40, { doc: "value that a read would give", domain: EVENTFD_COUNTER }),
  flags: word("u32", 48),
});

export const EPOLL_ITEMS = struct(
  "EPOLL_ITEMS",
  16,
  "Items of an epoll: a BUFFER of items follows if there are any",
  {
    epfile_objref: word("s32", 8),
    num_items: word("u32", 12, { doc: "items of 24 bytes in the BUFFER" }),
  },
);

export const EPOLL_ITEM = struct("ckpt_eventpoll_item", 24, "One watched descriptor, epoll_ctl(2)", {
  data: word("u64", 0, { doc: "user data returned by epoll_wait(2)" }),
  fd: word("u32", 8),
  file_objref: word("s32", 12),
  events: word("u32", 16),
});

export const FS_C97C03D = struct("FS", 8, "FS as header sets c97c03d to f678773 wrote it", {});

export const FS = struct(
  "FS",
  16,
  "File mode mask; FILE_NAMEs of the working and the root directory follow",
  {
    umask: word("u32", 8, { domain: UMASK }),
  },
);
