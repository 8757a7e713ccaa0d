import { record } from "../record-kind.js";
import { FILE_LOCK, FILE_LOCKS, FILE_OWNER, FILE_UNLINKED } from "../tables/dialect.js";
import {
  EPOLL_ITEMS,
  FILE,
  FILE_0ABE2FE,
  FILE_DESC,
  FILE_EVENTFD,
  FILE_EVENTFD_0ABE2FE,
  FILE_PIPE,
  FILE_PIPE_0ABE2FE,
  FILE_SOCKET,
  FILE_SOCKET_0ABE2FE,
  FILE_TABLE,
  FILE_TTY,
  FILE_TTY_0ABE2FE,
} from "../tables/files.js";
import { TTY, TTY_0ABE2FE, TTY_LDISC } from "../tables/tty.js";

/** Records of descriptors, files, terminals; and crimg extension records for locks, owners and deleted files. */
export const FILES_RECORDS = {
  FILE_TABLE: record("FILE_TABLE", [[301, "0abe2fe"]], [{ table: FILE_TABLE }], {
    doc: FILE_TABLE.doc,
    follows: "FILE_DESC, fdt_nfds times; then EPOLL_ITEMS and SOCKET_QUEUEs of its files",
  }),
  FILE_DESC: record("FILE_DESC", [[302, "0abe2fe"]], [{ table: FILE_DESC }], {
    doc: FILE_DESC.doc,
    follows: "FILE_LOCKS (crimg extension)",
  }),
  FILE_NAME: record("FILE_NAME", [[303, "0abe2fe"]], [], {
    doc: "A path with its NUL, from the root of the container",
    payload: "path",
  }),
  FILE: record(
    "FILE",
    [[304, "0abe2fe"]],
    [
      { since: "0abe2fe", table: FILE_0ABE2FE },
      { since: "0abe2fe", fileType: 2, table: FILE_PIPE_0ABE2FE },
      { since: "0abe2fe", fileType: 3, table: FILE_PIPE_0ABE2FE },
      { since: "0abe2fe", fileType: 4, table: FILE_SOCKET_0ABE2FE },
      { since: "0abe2fe", fileType: 5, table: FILE_TTY_0ABE2FE },
      { since: "0abe2fe", fileType: 7, table: FILE_EVENTFD_0ABE2FE },
      { since: "d55d4c8", table: FILE },
      { since: "d55d4c8", fileType: 2, table: FILE_PIPE },
      { since: "d55d4c8", fileType: 3, table: FILE_PIPE },
      { since: "d55d4c8", fileType: 4, table: FILE_SOCKET },
      { since: "d55d4c8", fileType: 5, table: FILE_TTY },
      { since: "d55d4c8", fileType: 7, table: FILE_EVENTFD },
    ],
    {
      doc: FILE.doc,
      follows: "FILE_NAME for generic files and fifos; PIPE_BUF for the first end of a pipe or fifo",
    },
  ),
  PIPE_BUF: record("PIPE_BUF", [[305, "0abe2fe"]], [], {
    doc: "Unread bytes of a pipe or fifo",
    payload: "bytes",
  }),
  TTY: record(
    "TTY",
    [[306, "0abe2fe"]],
    [
      { since: "0abe2fe", table: TTY_0ABE2FE },
      { since: "a272e68", table: TTY },
    ],
    { doc: TTY.doc, follows: "TTY_LDISC, unless hung up" },
  ),
  TTY_LDISC: record("TTY_LDISC", [[307, "0abe2fe"]], [{ table: TTY_LDISC }], {
    doc: TTY_LDISC.doc,
    follows: "BUFFER of datalen bytes, unless 0",
  }),
  EPOLL_ITEMS: record("EPOLL_ITEMS", [[308, "a53775e"]], [{ table: EPOLL_ITEMS }], {
    doc: EPOLL_ITEMS.doc,
    follows: "BUFFER of items, unless num_items is 0",
  }),
  FILE_LOCKS: record("FILE_LOCKS", [[309, "0abe2fe"]], [{ table: FILE_LOCKS }], {
    doc: FILE_LOCKS.doc,
    certainty: "our dialect",
    follows: "FILE_LOCK nr_locks times",
  }),
  FILE_LOCK: record("FILE_LOCK", [[310, "0abe2fe"]], [{ table: FILE_LOCK }], {
    doc: FILE_LOCK.doc,
    certainty: "our dialect",
  }),
  FILE_OWNER: record("FILE_OWNER", [[311, "0abe2fe"]], [{ table: FILE_OWNER }], {
    doc: FILE_OWNER.doc,
    certainty: "our dialect",
  }),
  FILE_UNLINKED: record("FILE_UNLINKED", [[312, "0abe2fe"]], [{ table: FILE_UNLINKED }], {
    doc: FILE_UNLINKED.doc,
    certainty: "our dialect",
    follows: "FILE_NAME of the substitute, or BUFFERs with the contents",
  }),
} as const;
