import type { MessageTable } from "../../schema/message.js";
import type { ImageKind } from "./image-kind.js";
import { IMAGES } from "./images.js";
import type { FILE_ENTRY } from "./tables/fdinfo.js";

/** How a type of open file is stored: its member of file_entry and, before criu 3.4, a separate image. */
export interface FileType {
  /** Name in the enum fd_types. */
  readonly type: string;
  readonly member: keyof typeof FILE_ENTRY.fields;
  readonly splitImage?: ImageKind<MessageTable>;
}

export const FILE_TYPES: readonly FileType[] = [
  { type: "REG", member: "reg", splitImage: IMAGES.REG_FILES },
  { type: "INETSK", member: "isk", splitImage: IMAGES.INETSK },
  { type: "NS", member: "nsf", splitImage: IMAGES.NS_FILES },
  { type: "PACKETSK", member: "psk", splitImage: IMAGES.PACKETSK },
  { type: "NETLINKSK", member: "nlsk", splitImage: IMAGES.NETLINK_SK },
  { type: "EVENTFD", member: "efd", splitImage: IMAGES.EVENTFD_FILE },
  { type: "EVENTPOLL", member: "epfd", splitImage: IMAGES.EVENTPOLL_FILE },
  { type: "SIGNALFD", member: "sgfd", splitImage: IMAGES.SIGNALFD },
  { type: "TUNF", member: "tunf", splitImage: IMAGES.TUNFILE },
  { type: "TIMERFD", member: "tfd", splitImage: IMAGES.TIMERFD },
  { type: "INOTIFY", member: "ify", splitImage: IMAGES.INOTIFY_FILE },
  { type: "FANOTIFY", member: "ffy", splitImage: IMAGES.FANOTIFY_FILE },
  { type: "EXT", member: "ext", splitImage: IMAGES.EXT_FILES },
  { type: "UNIXSK", member: "usk", splitImage: IMAGES.UNIXSK },
  { type: "FIFO", member: "fifo", splitImage: IMAGES.FIFO },
  { type: "PIPE", member: "pipe", splitImage: IMAGES.PIPES },
  { type: "TTY", member: "tty", splitImage: IMAGES.TTY_FILES },
  { type: "MEMFD", member: "memfd" },
  { type: "BPFMAP", member: "bpf" },
  { type: "PIDFD", member: "pidfd" },
];
