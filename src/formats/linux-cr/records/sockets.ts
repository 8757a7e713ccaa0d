import { record } from "../record-kind.js";
import { SOCKET_INET, SOCKET_INET_0ABE2FE } from "../tables/inet.js";
import { NET_NS, NETDEV } from "../tables/namespaces.js";
import { SIGNAL, SIGNAL_TASK, SIGPENDING } from "../tables/signals.js";
import {
  SOCKET,
  SOCKET_0ABE2FE,
  SOCKET_BUFFER,
  SOCKET_BUFFER_0ABE2FE,
  SOCKET_FRAG,
  SOCKET_QUEUE,
  SOCKET_UNIX,
  SOCKET_UNIX_0ABE2FE,
} from "../tables/sockets.js";

/** Records of signals, sockets and networks. */
export const SOCKETS_RECORDS = {
  SIGHAND: record("SIGHAND", [[601, "0abe2fe"]], [], {
    doc: "Signal actions, from signal 1 on",
    payload: "sigaction",
  }),
  SIGNAL: record("SIGNAL", [[602, "0abe2fe"]], [{ table: SIGNAL }], {
    doc: SIGNAL.doc,
    follows: "SIGPENDING",
  }),
  SIGNAL_TASK: record("SIGNAL_TASK", [[603, "0abe2fe"]], [{ table: SIGNAL_TASK }], { doc: SIGNAL_TASK.doc }),
  SIGPENDING: record("SIGPENDING", [[604, "0abe2fe"]], [{ table: SIGPENDING }], {
    doc: SIGPENDING.doc,
    payload: "siginfo",
    count: "nr_pending",
  }),
  SOCKET: record(
    "SOCKET",
    [[701, "0abe2fe"]],
    [
      { since: "0abe2fe", table: SOCKET_0ABE2FE },
      { since: "f0fdd38", table: SOCKET },
    ],
    { doc: SOCKET.doc, follows: "SOCKET_UNIX or SOCKET_INET" },
  ),
  SOCKET_QUEUE: record("SOCKET_QUEUE", [[702, "0abe2fe"]], [{ table: SOCKET_QUEUE }], {
    doc: SOCKET_QUEUE.doc,
    follows: "SOCKET_BUFFER skb_count times",
  }),
  SOCKET_BUFFER: record(
    "SOCKET_BUFFER",
    [[703, "0abe2fe"]],
    [
      { since: "0abe2fe", table: SOCKET_BUFFER_0ABE2FE },
      { since: "db94f5e", table: SOCKET_BUFFER },
    ],
    { doc: SOCKET_BUFFER.doc, follows: "BUFFER of lin_len bytes, then SOCKET_FRAG nr_frags times" },
  ),
  SOCKET_FRAG: record("SOCKET_FRAG", [[704, "db94f5e"]], [{ table: SOCKET_FRAG }], {
    doc: SOCKET_FRAG.doc,
    follows: "one page without a record header",
  }),
  SOCKET_UNIX: record(
    "SOCKET_UNIX",
    [
      [704, "0abe2fe"],
      [705, "db94f5e"],
    ],
    [
      { since: "0abe2fe", table: SOCKET_UNIX_0ABE2FE },
      { since: "f0fdd38", table: SOCKET_UNIX },
    ],
    { doc: SOCKET_UNIX.doc, follows: "STRING with a directory, if the name is relative" },
  ),
  SOCKET_INET: record(
    "SOCKET_INET",
    [
      [705, "0abe2fe"],
      [706, "db94f5e"],
    ],
    [
      { since: "0abe2fe", table: SOCKET_INET_0ABE2FE },
      { since: "db94f5e", table: SOCKET_INET },
    ],
    { doc: SOCKET_INET.doc },
  ),
  NET_NS: record("NET_NS", [[707, "78d18cf"]], [{ table: NET_NS }], {
    doc: NET_NS.doc,
    certainty: "header file only",
  }),
  NETDEV: record("NETDEV", [[708, "78d18cf"]], [{ table: NETDEV }], {
    doc: NETDEV.doc,
    follows: "presumably NETDEV_ADDR inet_addrs times",
    certainty: "header file only",
  }),
  NETDEV_ADDR: record("NETDEV_ADDR", [[709, "78d18cf"]], [], {
    doc: "An address of a device; its framing is unknown",
    payload: "bytes",
    certainty: "header file only",
  }),
} as const;
