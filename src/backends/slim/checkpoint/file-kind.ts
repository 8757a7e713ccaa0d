import fs from "node:fs";
import { textToBytes } from "../../../io/text.js";
import { O_PATH } from "../../../linux/open-flags.js";
import { slaveIndex } from "../terminal/pty.js";
import type { OpenFileState } from "./descriptions.js";

/** What an open file is, by its link and its type. */
export type FileKind =
  | "regular"
  | "directory"
  | "device"
  | "symlink"
  | "terminal"
  | "pipe"
  | "fifo"
  | "socket"
  | "memfd"
  | "eventfd"
  | "eventpoll"
  | "timerfd"
  | "signalfd"
  | "inotify";

const ANONYMOUS: Readonly<Record<string, FileKind>> = {
  "anon_inode:[eventfd]": "eventfd",
  "anon_inode:[eventpoll]": "eventpoll",
  "anon_inode:[timerfd]": "timerfd",
  "anon_inode:[signalfd]": "signalfd",
  "anon_inode:inotify": "inotify",
};

const DELETED = " (deleted)";

/** Undefined for what this engine does not know: io_uring, pidfds, bpf … */
export function kindOf({ link, stat, info }: OpenFileState): FileKind | undefined {
  if (link.startsWith("/memfd:")) return "memfd";
  // A pidfd is a regular file of a file system without names, and so is memory of memfd_secret(2).
  if (stat.isFile()) return /^\/(?!secretmem)/.test(link) ? "regular" : undefined;
  if (stat.isDirectory()) return "directory";
  if (stat.isFIFO()) return link.startsWith("pipe:[") ? "pipe" : "fifo";
  // Opened with O_PATH, the file of a unix socket shows its path.
  if (stat.isSocket()) return link.startsWith("socket:[") ? "socket" : undefined;
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isCharacterDevice()) return characterDevice(stat.rdev, info.flags);
  return ANONYMOUS[link];
}

/** Kinds that are known, and that this engine has no way to bring back yet. */
const NOT_YET: ReadonlySet<FileKind | undefined> = new Set([undefined]);

export function isSaved(file: OpenFileState): boolean {
  return !NOT_YET.has(kindOf(file));
}

/** Devices without state: null, zero, full, random, urandom; devices.txt of the kernel. */
const STATELESS = new Set([0x103n, 0x105n, 0x107n, 0x108n, 0x109n]);
/** /dev/tty and /dev/ptmx, and the slaves of pseudo terminals. */
const TERMINALS = new Set([0x500n, 0x502n]);

function characterDevice(rdev: bigint, flags: number): FileKind | undefined {
  if (STATELESS.has(rdev) || (flags & O_PATH) !== 0) return "device";
  return TERMINALS.has(rdev) || slaveIndex(Number(rdev)) !== undefined ? "terminal" : undefined;
}

/** The path of an open file without what the kernel puts behind it when the name is gone. */
export function pathOf(file: OpenFileState): string {
  const { link } = file;
  return isUnlinked(file) ? plainName(link) : link;
}

/** What /proc calls a file whose name is gone, without saying so. */
export function plainName(name: string): string {
  return name.slice(0, -DELETED.length);
}

/** Whether no name leads to the file any more under which it was opened. */
export function isUnlinked({ link, stat }: OpenFileState): boolean {
  return isGone(link, stat);
}

/** The same of what /proc calls a file: a name that really ends that way still leads to it. */
export function isGone(name: string, stat: fs.BigIntStats): boolean {
  if (!name.endsWith(DELETED)) return false;
  const there = fs.lstatSync(textToBytes(name), { bigint: true, throwIfNoEntry: false });
  return there?.ino !== stat.ino || there.dev !== stat.dev;
}
