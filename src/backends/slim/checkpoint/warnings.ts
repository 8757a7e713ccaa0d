import { ERESTARTNOHAND } from "../../../linux/errno.js";
import {
  IOPRIO_CLASS_IDLE,
  IOPRIO_CLASS_SHIFT,
  IOPRIO_WHO_PROCESS,
  SCHED_RESET_ON_FORK,
} from "../../../linux/sched.js";
import { TCP_LISTEN } from "../../../linux/sockets.js";
import { DUMPED_CORE } from "../proc/stat.js";
import type { Registers } from "../ptrace/registers.js";
import type { SocketTable } from "../sockets/capture.js";
import { SYS } from "../sys/abi-x64.js";
import { cpusOf } from "../sys/affinity.js";
import { attempt } from "../sys/syscall.js";
import { loginUidOf, type ProcessState, type ThreadState } from "../tasks/capture.js";
import type { FrozenProcess } from "../tasks/freeze.js";

/** What an image does not hold although the tasks had it: they come back, and are a little different. */
export interface Warning {
  /** The first task that it is about. */
  readonly pid: number;
  /** One sentence, which may be about many tasks. */
  readonly text: string;
}

/** What is said of tasks; % stands for what they had. */
const SENTENCES = {
  cpus: "CPU affinity (%) is not saved; restored tasks inherit crimg's",
  ioPriority: "I/O priority (%) is not saved; restored tasks inherit crimg's",
  slack: "timer slack (% ns) is not saved; restored tasks inherit crimg's",
  resetOnFork: "SCHED_RESET_ON_FORK is not saved; children of restored tasks inherit scheduling",
  sealed: "memory sealed by mseal(2) is restored without seals",
  loginUid: "login uid (%) is not restored; restored tasks inherit crimg's",
  coreDump: "core dump flag of the exit status is not saved; the parent sees the signal only",
  timeout: "elapsed timeout of % is not saved; the call starts again with the full timeout",
  peer: "SO_PEERCRED of unix sockets is not saved; after a restore it names crimg",
} as const;

/** Tasks and values that a sentence names one by one. */
const NAMED = 3;

const IOPRIO_CLASSES = ["none", "realtime", "best-effort", "idle"];
const REALTIME_POLICIES: readonly number[] = [1, 2];
/** Of init, which all inherit: init/init_task.c. */
const DEFAULT_SLACK = 50_000;
const LOGIN_UID_UNSET = 0xffff_ffff;
/** Sealed by the kernel itself, mseal_sys_mappings: they are no task's doing. */
const KERNEL_AREA = /^\[(vdso|vvar|vsyscall|uprobes)/;

/** Calls that are made again with the whole timeout, and whether they have one: epoll_wait(2), sigtimedwait(2), semop(2). */
const WAITS: ReadonlyMap<number, readonly [name: string, isTimed: (registers: Registers) => boolean]> =
  new Map([
    [SYS.epoll_wait, ["epoll_wait", hasMilliseconds]],
    [SYS.epoll_pwait, ["epoll_pwait", hasMilliseconds]],
    [SYS.epoll_pwait2, ["epoll_pwait2", (registers) => registers.get("r10") !== 0n]],
    [SYS.rt_sigtimedwait, ["sigtimedwait", (registers) => registers.get("rdx") !== 0n]],
    [SYS.semtimedop, ["semtimedop", (registers) => registers.get("r10") !== 0n]],
  ]);

/** What of a tree of stopped tasks its image does not hold, each kind once for all tasks that it is true of. */
export function warnings(
  tree: readonly FrozenProcess[],
  processes: ReadonlyMap<number, ProcessState>,
  sockets: SocketTable,
): Warning[] {
  const found = new WarningList();
  const ownCpus = cpusOf(0);
  const ownLoginUid = loginUidOf(process.pid);
  for (const { stat, isZombie } of tree)
    if (isZombie && (stat.exitCode & DUMPED_CORE) !== 0) found.add("coreDump", stat.pid);
  for (const [pid, { threads, vmas, loginUid }] of processes) {
    if (vmas.some(({ flags, name }) => flags.has("sl") && !KERNEL_AREA.test(name))) found.add("sealed", pid);
    if (loginUid !== ownLoginUid)
      found.add("loginUid", pid, loginUid === LOGIN_UID_UNSET ? "none" : String(loginUid));
    for (const thread of threads) checkThread(found, thread, ownCpus);
  }
  for (const file of sockets.files.all) {
    const socket = sockets.get(file);
    if (socket?.family === "unix" && (socket.peer !== 0 || socket.state === TCP_LISTEN))
      found.add("peer", file.pid);
  }
  return found.sentences();
}

function checkThread(
  found: WarningList,
  { tid, schedule, timerSlack, registers }: ThreadState,
  own: Buffer,
): void {
  const cpus = cpusOf(tid);
  if (own.some((byte, at) => (byte & ~(cpus[at] ?? 0)) !== 0)) found.add("cpus", tid, cpuList(cpus));
  const priority = attempt(SYS.ioprio_get, IOPRIO_WHO_PROCESS, tid);
  if (priority >> IOPRIO_CLASS_SHIFT > 0) found.add("ioPriority", tid, ioPriorityName(priority));
  // Realtime tasks have none.
  const isDefault = timerSlack === DEFAULT_SLACK || REALTIME_POLICIES.includes(schedule.policy);
  if (!isDefault) found.add("slack", tid, String(timerSlack));
  const policy = attempt(SYS.sched_getscheduler, tid);
  if (policy > 0 && (policy & SCHED_RESET_ON_FORK) !== 0) found.add("resetOnFork", tid);
  const [wait, isTimed] = WAITS.get(registers.signed("orig_rax")) ?? [];
  if (wait !== undefined && registers.signed("rax") === -ERESTARTNOHAND && isTimed?.(registers))
    found.add("timeout", tid, wait);
}

/** The tasks of each kind and what they had, in the order in which they were found. */
class WarningList {
  readonly #kinds = new Map<keyof typeof SENTENCES, { tids: Set<number>; values: Set<string> }>();

  add(kind: keyof typeof SENTENCES, tid: number, value = ""): void {
    const known = this.#kinds.get(kind) ?? { tids: new Set(), values: new Set() };
    this.#kinds.set(kind, known);
    known.tids.add(tid);
    known.values.add(value);
  }

  sentences(): Warning[] {
    return [...this.#kinds].map(([kind, { tids, values }]) => {
      const [pid = 0] = tids;
      const who = `${tids.size === 1 ? "task" : "tasks"} ${listed([...tids].map(String), ", ")}`;
      return { pid, text: `${who}: ${SENTENCES[kind].replace("%", () => listed([...values], "; "))}` };
    });
  }
}

function listed(words: readonly string[], separator: string): string {
  const more = words.length - NAMED;
  return words.slice(0, NAMED).join(separator) + (more > 0 ? ` and ${more} more` : "");
}

/** `0-1,4`. */
function cpuList(mask: Buffer): string {
  const has = (cpu: number): boolean => (((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1) === 1;
  const ranges: string[] = [];
  for (let cpu = 0; cpu < mask.length * 8; cpu++) {
    if (!has(cpu)) continue;
    const first = cpu;
    while (has(cpu + 1)) cpu++;
    ranges.push(first === cpu ? String(cpu) : `${first}-${cpu}`);
  }
  return ranges.join(",");
}

function ioPriorityName(priority: number): string {
  const kind = priority >> IOPRIO_CLASS_SHIFT;
  const name = IOPRIO_CLASSES[kind] ?? `class ${kind}`;
  return kind === IOPRIO_CLASS_IDLE ? name : `${name} ${priority & 7}`;
}

function hasMilliseconds(registers: Registers): boolean {
  return BigInt.asIntN(32, registers.get("r10")) > 0n;
}
