import { enumTable } from "../../../io/enums.js";
import { BUFFER_LOCKS } from "../../../linux/sockets.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const SK_SHUTDOWN = enumTable("sk_shutdown", {
  NONE: 0,
  READ: 1,
  WRITE: 2,
  BOTH: 3,
});

export const SK_OPTS_ENTRY = message("sk_opts_entry", "Options of the level SOL_SOCKET, socket(7).", {
  so_sndbuf: required(1, "uint32", { doc: "bytes, as doubled by the kernel" }),
  so_rcvbuf: required(2, "uint32", { doc: "bytes, as doubled by the kernel" }),
  so_snd_tmo_sec: required(3, "uint64", { doc: "limit for sending, 0 for none" }),
  so_snd_tmo_usec: required(4, "uint64"),
  so_rcv_tmo_sec: required(5, "uint64", { doc: "limit for receiving, 0 for none" }),
  so_rcv_tmo_usec: required(6, "uint64"),
  reuseaddr: optional(7, "bool"),
  so_priority: optional(8, "uint32"),
  so_rcvlowat: optional(9, "uint32"),
  so_mark: optional(10, "uint32"),
  so_passcred: optional(11, "bool"),
  so_passsec: optional(12, "bool"),
  so_dontroute: optional(13, "bool"),
  so_no_check: optional(14, "bool"),
  so_bound_dev: optional(15, "string", { doc: "device that it is bound to", holds: "interface" }),
  so_filter: repeated(16, "fixed64", { doc: "classic BPF instructions, one word of 8 bytes each" }),
  so_reuseport: optional(17, "bool", { since: "3.7" }),
  so_broadcast: optional(18, "bool", { since: "3.13" }),
  so_keepalive: optional(19, "bool", { since: "3.14" }),
  tcp_keepcnt: optional(20, "uint32", { since: "3.14", deprecated: true }),
  tcp_keepidle: optional(21, "uint32", { since: "3.14", deprecated: true }),
  tcp_keepintvl: optional(22, "uint32", { since: "3.14", deprecated: true }),
  so_oobinline: optional(23, "uint32", { since: "3.15" }),
  so_linger: optional(24, "uint32", { doc: "seconds that close(2) waits", since: "3.15" }),
  so_buf_lock: optional(25, "uint32", {
    doc: "buffer sizes set by the program: 1 sending, 2 receiving",
    domain: BUFFER_LOCKS,
    since: "3.17",
  }),
});
export type SkOptsEntry = Value<typeof SK_OPTS_ENTRY>;
