import { KCMP_FILES, KCMP_FS } from "../../../linux/files.js";
import { SCHED_DEADLINE } from "../../../linux/sched.js";
import type { Unsupported } from "../../backend.js";
import { keyedLines, procLink, procNumbers, readProc } from "../proc/read.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import type { FrozenProcess } from "./freeze.js";

/** Code segment of 64-bit tasks: __USER_CS, arch/x86/include/asm/segment.h. */
const USER64_CS = 0x33n;
const NAMESPACES: Readonly<Record<string, string>> = {
  cgroup: "cgroup",
  ipc: "IPC",
  mnt: "mount",
  net: "network",
  pid: "pid",
  pid_for_children: "pid",
  time: "time",
  time_for_children: "time",
  user: "user",
  uts: "UTS",
};

/**
 * What of a stopped process stands in the way of asking its threads for anything, one sentence each: found from outside,
 * as calls made by a task of another kind would do something else. Errors: BackendError when it is gone.
 */
export function unsupportedProcess({ stat, threads, isZombie }: FrozenProcess): Unsupported[] {
  const { pid } = stat;
  const found = new Set<string>();
  if (isZombie && procNumbers(pid, "task").length > 1)
    found.add("has ended as a thread while other threads of its process run");
  for (const tracee of threads) {
    const { tid } = tracee;
    const thread = `${pid}/task/${tid}`;
    const inThread = tid === pid ? "" : ` in thread ${tid}`;
    if (tracee.registers().get("cs") !== USER64_CS) found.add(`runs 32-bit code${inThread}`);
    if (keyedLines(readProc(thread, "status")).get("x86_Thread_features")?.includes("shstk"))
      found.add(`has a shadow stack${inThread}`);
    for (const kind of foreignNamespaces(thread)) found.add(`is in another ${kind} namespace than crimg`);
    if (tid === pid) continue;
    if (attempt(SYS.kcmp, pid, tid, KCMP_FILES, 0, 0) !== 0)
      found.add(`has a thread ${tid} with descriptors of its own`);
    if (attempt(SYS.kcmp, pid, tid, KCMP_FS, 0, 0) !== 0)
      found.add(`has a thread ${tid} with a working directory of its own`);
  }
  if (stat.schedulingPolicy === SCHED_DEADLINE) found.add("is scheduled by deadlines");
  return [...found].map((reason) => ({ pid, reason: `task ${pid} ${reason}` }));
}

/** Kinds of namespaces that are not crimg's own. */
function foreignNamespaces(thread: string): Set<string> {
  const kinds = new Set<string>();
  for (const [name, kind] of Object.entries(NAMESPACES))
    if (procLink(thread, `ns/${name}`) !== procLink("self", `ns/${name}`)) kinds.add(kind);
  return kinds;
}
