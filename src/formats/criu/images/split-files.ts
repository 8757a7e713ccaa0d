import { kind, many } from "../image-kind.js";
import { BPFMAP_FILE_ENTRY } from "../tables/bpfmap.js";
import { EVENTFD_FILE_ENTRY } from "../tables/eventfd.js";
import { EVENTPOLL_FILE_ENTRY, EVENTPOLL_TFD_ENTRY } from "../tables/eventpoll.js";
import { EXT_FILE_ENTRY } from "../tables/ext-file.js";
import {
  FANOTIFY_FILE_ENTRY,
  FANOTIFY_MARK_ENTRY,
  INOTIFY_FILE_ENTRY,
  INOTIFY_WD_ENTRY,
} from "../tables/fsnotify.js";
import { NS_FILE_ENTRY } from "../tables/ns.js";
import { PIDFD_ENTRY } from "../tables/pidfd.js";
import { FIFO_ENTRY, PIPE_ENTRY } from "../tables/pipe.js";
import { REG_FILE_ENTRY } from "../tables/regfile.js";
import { SIGNALFD_ENTRY } from "../tables/siginfo.js";
import { INET_SK_ENTRY } from "../tables/sk-inet.js";
import { NETLINK_SK_ENTRY } from "../tables/sk-netlink.js";
import { PACKET_SOCK_ENTRY } from "../tables/sk-packet.js";
import { UNIX_SK_ENTRY } from "../tables/sk-unix.js";
import { TIMERFD_ENTRY } from "../tables/timer.js";
import { TTY_FILE_ENTRY } from "../tables/tty.js";
import { TUNFILE_ENTRY } from "../tables/tun.js";

/** Images of open files by type, which criu before 3.4 wrote instead of files.img, and kinds with a magic but no file. */
export const SPLIT_FILE_IMAGES = {
  BPFMAP_FILE: kind(
    "BPFMAP_FILE",
    "bpfmap-file.img",
    0x57506142,
    "set",
    "open bpf maps",
    [many(BPFMAP_FILE_ENTRY)],
    { status: "unused", since: "3.15" },
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
} as const;
