import { MAX_DESCRIPTORS, MAX_MAPPINGS, MAX_PAGEMAP_ENTRIES } from "../../../io/limits.js";
import { kind, many, one } from "../image-kind.js";
import { CORE_ENTRY, TASK_KOBJ_IDS_ENTRY } from "../tables/core.js";
import { CREDS_ENTRY } from "../tables/creds.js";
import { FDINFO_ENTRY } from "../tables/fdinfo.js";
import { FS_ENTRY } from "../tables/fs.js";
import { MM_ENTRY, VMA_ENTRY } from "../tables/mm.js";
import { PAGEMAP_ENTRY, PAGEMAP_HEAD } from "../tables/pagemap.js";
import { RLIMIT_ENTRY } from "../tables/rlimit.js";
import { SA_ENTRY } from "../tables/sigaction.js";
import { SIGINFO_ENTRY } from "../tables/siginfo.js";
import { ITIMER_ENTRY, POSIX_TIMER_ENTRY } from "../tables/timer.js";

/** Images of one task, thread or descriptor table; the ids in their names are pids, tids or files_ids. */
export const TASK_IMAGES = {
  CORE: kind(
    "CORE",
    "core-%u.img",
    0x55053847,
    "task",
    "registers, signal state and credentials of a task or thread",
    [one(CORE_ENTRY)],
    { since: "0.1" },
  ),
  IDS: kind(
    "IDS",
    "ids-%u.img",
    0x54432030,
    "task",
    "which kernel objects a task shares with others",
    [one(TASK_KOBJ_IDS_ENTRY)],
    { since: "0.4" },
  ),
  MM: kind(
    "MM",
    "mm-%u.img",
    0x57492820,
    "task",
    "address space of a task and its mappings",
    [one(MM_ENTRY)],
    { since: "0.1" },
  ),
  FS: kind(
    "FS",
    "fs-%u.img",
    0x51403912,
    "task",
    "current directory, root and umask of a task",
    [one(FS_ENTRY)],
    { since: "0.1" },
  ),
  CREDS: kind("CREDS", "creds-%u.img", 0x54023547, "task", "credentials of a task", [one(CREDS_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  FDINFO: kind("FDINFO", "fdinfo-%u.img", 0x56213732, "task", "one descriptor table", [many(FDINFO_ENTRY)], {
    since: "0.1",
    most: MAX_DESCRIPTORS,
  }),
  PAGEMAP: kind(
    "PAGEMAP",
    "pagemap-%u.img",
    0x56084025,
    "task",
    "which pages of a task are in the pages file",
    [one(PAGEMAP_HEAD), many(PAGEMAP_ENTRY)],
    { since: "0.5", most: MAX_PAGEMAP_ENTRIES },
  ),
  VMAS: kind("VMAS", "vmas-%u.img", 0x54123737, "task", "mappings of a task", [many(VMA_ENTRY)], {
    status: "old",
    since: "0.1",
    most: MAX_MAPPINGS,
  }),
  SIGACT: kind("SIGACT", "sigacts-%u.img", 0x55344201, "task", "signal actions of a task", [many(SA_ENTRY)], {
    status: "old",
    since: "0.1",
  }),
  RLIMIT: kind(
    "RLIMIT",
    "rlimit-%u.img",
    0x57113925,
    "task",
    "resource limits of a task",
    [many(RLIMIT_ENTRY)],
    { status: "old", since: "0.4" },
  ),
  ITIMERS: kind(
    "ITIMERS",
    "itimers-%u.img",
    0x57464056,
    "task",
    "interval timers of a task",
    [many(ITIMER_ENTRY)],
    { status: "old", since: "0.1" },
  ),
  POSIX_TIMERS: kind(
    "POSIX_TIMERS",
    "posix-timers-%u.img",
    0x52603957,
    "task",
    "POSIX timers of a task",
    [many(POSIX_TIMER_ENTRY)],
    { status: "old", since: "0.6" },
  ),
  SIGNAL: kind(
    "SIGNAL",
    "signal-s-%u.img",
    0x59255647,
    "task",
    "signals pending for a task",
    [many(SIGINFO_ENTRY)],
    { status: "old", since: "0.5" },
  ),
  PSIGNAL: kind(
    "PSIGNAL",
    "signal-p-%u.img",
    0x59255647,
    "task",
    "signals pending for a thread",
    [many(SIGINFO_ENTRY)],
    { status: "old", since: "0.5" },
  ),
} as const;
