import fs from "node:fs";
import type { Description } from "./descriptions.js";

/** What an open file is, by its link and its type. */
export type FileKind =
  | "regular"
  | "directory"
  | "device"
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

const MEM_MAJOR = 1n;
const DELETED = " (deleted)";

/** Undefined for what this engine does not know: io_uring, pidfds, bpf … */
export function kindOf({ link, stat }: Description): FileKind | undefined {
  if (link.startsWith("/memfd:")) return "memfd";
  if (stat.isFile()) return "regular";
  if (stat.isDirectory()) return "directory";
  if (stat.isFIFO()) return link.startsWith("pipe:[") ? "pipe" : "fifo";
  if (stat.isSocket()) return "socket";
  if (stat.isCharacterDevice()) return characterDevice(link, stat.rdev);
  return ANONYMOUS[link];
}

/** Kinds that are known, and that this engine has no way to bring back yet. */
const NOT_YET: ReadonlySet<FileKind | undefined> = new Set(["socket", "terminal", "inotify", undefined]);

export function isSaved(description: Description): boolean {
  return !NOT_YET.has(kindOf(description));
}

function characterDevice(link: string, rdev: bigint): FileKind | undefined {
  const major = (rdev >> 8n) & 0xfffn;
  if (major === MEM_MAJOR) return "device";
  return /^\/dev\/(pts\/\d+|ptmx|pts\/ptmx|tty)$/.test(link) ? "terminal" : undefined;
}

/** The path of an open file without what the kernel puts behind it when the name is gone. */
export function pathOf({ link }: Description): string {
  return link.endsWith(DELETED) ? link.slice(0, -DELETED.length) : link;
}

/** Whether no name leads to the file any more under which it was opened. */
export function isUnlinked(description: Description): boolean {
  if (!description.link.endsWith(DELETED)) return false;
  const there = fs.statSync(description.link, { bigint: true, throwIfNoEntry: false });
  return there?.ino !== description.stat.ino || there.dev !== description.stat.dev;
}
