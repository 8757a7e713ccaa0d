import { enumTable } from "../../../io/enums.js";
import { DESCRIPTORS } from "../../../linux/files.js";
import { message, optional, required, type Value } from "../../../schema/message.js";
import { BPFMAP_FILE_ENTRY } from "./bpfmap.js";
import { EVENTFD_FILE_ENTRY } from "./eventfd.js";
import { EVENTPOLL_FILE_ENTRY } from "./eventpoll.js";
import { EXT_FILE_ENTRY } from "./ext-file.js";
import { FANOTIFY_FILE_ENTRY, INOTIFY_FILE_ENTRY } from "./fsnotify.js";
import { MEMFD_FILE_ENTRY } from "./memfd.js";
import { NS_FILE_ENTRY } from "./ns.js";
import { PIDFD_ENTRY } from "./pidfd.js";
import { FIFO_ENTRY, PIPE_ENTRY } from "./pipe.js";
import { REG_FILE_ENTRY } from "./regfile.js";
import { SIGNALFD_ENTRY } from "./siginfo.js";
import { INET_SK_ENTRY } from "./sk-inet.js";
import { NETLINK_SK_ENTRY } from "./sk-netlink.js";
import { PACKET_SOCK_ENTRY } from "./sk-packet.js";
import { UNIX_SK_ENTRY } from "./sk-unix.js";
import { TIMERFD_ENTRY } from "./timer.js";
import { TTY_FILE_ENTRY } from "./tty.js";
import { TUNFILE_ENTRY } from "./tun.js";

export const FD_TYPES = enumTable("fd_types", {
  UND: 0,
  REG: 1,
  PIPE: 2,
  FIFO: 3,
  INETSK: 4,
  UNIXSK: 5,
  EVENTFD: 6,
  EVENTPOLL: 7,
  INOTIFY: 8,
  SIGNALFD: 9,
  PACKETSK: 10,
  TTY: 11,
  FANOTIFY: 12,
  NETLINKSK: 13,
  NS: 14,
  TUNF: 15,
  EXT: 16,
  TIMERFD: 17,
  MEMFD: 18,
  BPFMAP: 19,
  PIDFD: 20,
  CTL_TTY: 65534,
  AUTOFS_PIPE: 65535,
});

export const FDINFO_ENTRY = message("fdinfo_entry", "One descriptor of a table.", {
  id: required(1, "uint32", { doc: "id of the open file in files.img" }),
  flags: required(2, "uint32", { doc: "FD_CLOEXEC (1) or 0" }),
  type: required(3, FD_TYPES, { doc: "type of the open file; the same as in its file_entry" }),
  fd: required(4, "uint32", { doc: "descriptor number", domain: DESCRIPTORS }),
  xattr_security_selinux: optional(5, "string", {
    doc: "SELinux label of a socket",
    holds: "label",
    since: "3.13",
  }),
});
export type FdinfoEntry = Value<typeof FDINFO_ENTRY>;

export const FILE_ENTRY = message(
  "file_entry",
  "An open file; exactly one of its members is set, that of its type.",
  {
    type: required(1, FD_TYPES, { doc: "which member is set" }),
    id: required(2, "uint32", { doc: "unique for all types; repeated in the member" }),
    reg: optional(3, REG_FILE_ENTRY, {
      doc: "also directories, executables, devices and the nodes of fifos, terminals and tun",
    }),
    isk: optional(4, INET_SK_ENTRY),
    nsf: optional(5, NS_FILE_ENTRY),
    psk: optional(6, PACKET_SOCK_ENTRY),
    nlsk: optional(7, NETLINK_SK_ENTRY),
    efd: optional(8, EVENTFD_FILE_ENTRY),
    epfd: optional(9, EVENTPOLL_FILE_ENTRY),
    sgfd: optional(10, SIGNALFD_ENTRY),
    tunf: optional(11, TUNFILE_ENTRY),
    tfd: optional(12, TIMERFD_ENTRY),
    ify: optional(13, INOTIFY_FILE_ENTRY),
    ffy: optional(14, FANOTIFY_FILE_ENTRY),
    ext: optional(15, EXT_FILE_ENTRY),
    usk: optional(16, UNIX_SK_ENTRY),
    fifo: optional(17, FIFO_ENTRY),
    pipe: optional(18, PIPE_ENTRY),
    tty: optional(19, TTY_FILE_ENTRY),
    memfd: optional(20, MEMFD_FILE_ENTRY, { since: "3.14" }),
    bpf: optional(21, BPFMAP_FILE_ENTRY, { since: "3.15" }),
    pidfd: optional(22, PIDFD_ENTRY, { since: "4.1" }),
  },
);
export type FileEntry = Value<typeof FILE_ENTRY>;
