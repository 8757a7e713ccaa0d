import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { TTY_TYPE } from "../../formats/criu/tables/tty.js";
import { enumName } from "../../io/enums.js";
import type { OpenFile } from "../open-file.js";
import { socketLabel } from "../socket.js";
import { memfdInode, ttyInfo } from "./referred-records.js";

/** What a person would call an open file, in the manner of /proc/PID/fd. */
export function fileLabel(file: OpenFile, set: CriuImageSet): string {
  if (file.path !== undefined) return file.path;
  if (file.socket !== undefined) return socketLabel(file.socket);
  const { record } = file;
  switch (file.type) {
    case "REG":
      return String(record.name);
    case "PIPE":
    case "FIFO":
      return `${file.type.toLowerCase()}:[${record.pipe_id}]`;
    case "MEMFD":
      return memfdLabel(record, set);
    case "TTY":
      return ttyLabel(record, set);
    case "PIDFD":
      return `pidfd:[${record.nspid}]`;
    case "BPFMAP":
      return `bpf map ${String(record.map_name)}`;
    case "NS":
      return `namespace:[${record.ns_id}]`;
    default:
      return `anon:[${ANON_NAMES[file.type] ?? file.type.toLowerCase()}]`;
  }
}

const ANON_NAMES: Readonly<Record<string, string>> = {
  EVENTFD: "eventfd",
  EVENTPOLL: "eventpoll",
  SIGNALFD: "signalfd",
  TIMERFD: "timerfd",
  INOTIFY: "inotify",
  FANOTIFY: "fanotify",
  EXT: "external",
};

function memfdLabel(record: Readonly<Record<string, unknown>>, set: CriuImageSet): string {
  const inode = memfdInode(set, record.inode_id as number);
  return `memfd:${inode?.name ?? `[${record.inode_id}]`}`;
}

function ttyLabel(record: Readonly<Record<string, unknown>>, set: CriuImageSet): string {
  const info = ttyInfo(set, record.tty_info_id as number);
  if (info === undefined) return `tty:[${record.tty_info_id}]`;
  return info.pty === undefined ? `tty:[${enumName(TTY_TYPE, info.type)}]` : `/dev/pts/${info.pty.index}`;
}
