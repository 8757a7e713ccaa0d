import { fileNameOf } from "../../../formats/criu/detect.js";
import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { TASK_STATE } from "../../../formats/criu/names.js";
import type {
  CoreEntry,
  TaskCoreEntry,
  TaskKobjIdsEntry,
  ThreadCoreEntry,
} from "../../../formats/criu/tables/core.js";
import { CORE_ENTRY_MARCH } from "../../../formats/criu/tables/core.js";
import type { PstreeEntry } from "../../../formats/criu/tables/pstree.js";
import { domainText } from "../../../io/domains.js";
import { enumName } from "../../../io/enums.js";
import { FormatError, UnsupportedError } from "../../../io/errors.js";
import { MAX_THREADS } from "../../../io/limits.js";
import type { ThreadAttributes } from "../../../model/attributes.js";
import { decodeThreadAttributes } from "../../../model/criu/attributes.js";
import { decodeRegisters } from "../../../model/criu/registers.js";
import type { X86State } from "../../../model/x86-registers.js";

/** Values of task_core_entry.task_state. */
const ALIVE = 1;
const STOPPED = 3;

/** One thread of the set: what a TASK record of a stream stands for. A zombie has one, without registers. */
export interface SourceThread {
  readonly tid: number;
  /** The process it belongs to. */
  readonly process: PstreeEntry;
  readonly isLeader: boolean;
  /** "task 4711", for losses. */
  readonly label: string;
}

/** What a live thread consists of. */
export interface LiveThread extends SourceThread {
  readonly tc: ThreadCoreEntry;
  readonly registers: X86State;
  readonly attributes: ThreadAttributes;
  /** Of the process: state, timers, limits, actions. */
  readonly task: TaskCoreEntry;
  readonly ids: TaskKobjIdsEntry;
  readonly comm: string;
  readonly isStopped: boolean;
}

/** All threads in the order of a stream: a task, its children, then its other threads. */
export function threadsOf(set: CriuImageSet): SourceThread[] {
  const processes = set.records(IMAGES.PSTREE).map(({ value }) => value);
  const count = processes.reduce((sum, { threads }) => sum + threads.length, 0);
  if (count > MAX_THREADS)
    throw new FormatError("TOO_LARGE", `too large: ${count} threads, at most ${MAX_THREADS} are held`, {
      file: set.image(IMAGES.PSTREE)?.source.name,
    });
  const children = new Map<number, PstreeEntry[]>();
  for (const process of processes) {
    const siblings = children.get(process.ppid);
    if (siblings === undefined) children.set(process.ppid, [process]);
    else siblings.push(process);
  }
  const all: SourceThread[] = [];
  const seen = new Set<number>();
  const thread = (process: PstreeEntry, tid: number): SourceThread => ({
    tid,
    process,
    isLeader: tid === process.pid,
    label: tid === process.pid ? `task ${tid}` : `thread ${tid} of task ${process.pid}`,
  });
  const next: SourceThread[] = processes.slice(0, 1).map((root) => thread(root, root.pid));
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    all.push(one);
    if (!one.isLeader) continue;
    const { process } = one;
    if (seen.has(process.pid)) throwTwice(set, process.pid);
    seen.add(process.pid);
    const rest = isDead(taskCore(set, process.pid))
      ? []
      : process.threads.filter((tid) => tid !== process.pid);
    for (const tid of rest.reverse()) next.push(thread(process, tid));
    for (const child of children.get(process.pid)?.reverse() ?? []) next.push(thread(child, child.pid));
  }
  if (seen.size < processes.length)
    throw new FormatError("INVALID", "the process tree has tasks that the root is no ancestor of", {
      file: set.image(IMAGES.PSTREE)?.source.name,
    });
  return all;
}

/** State, name, timers and limits of a process. Errors: FormatError MISSING without its core image. */
export function taskCore(set: CriuImageSet, pid: number): TaskCoreEntry {
  const { tc } = coreOf(set, pid);
  if (tc !== undefined) {
    if (TASK_STATE.names.has(tc.task_state)) return tc;
    throw new FormatError(
      "INVALID",
      `invalid task state ${tc.task_state} (expected ${domainText(TASK_STATE)})`,
      { file: set.image(IMAGES.CORE, pid)?.source.name, path: "[0].tc.task_state" },
    );
  }
  throw new FormatError("MISSING", "missing: the leader of a process has a task_core_entry", {
    file: set.image(IMAGES.CORE, pid)?.source.name,
    path: "[0].tc",
  });
}

/** A zombie, or a helper that criu needs at a restore only. */
export function isDead({ task_state }: TaskCoreEntry): boolean {
  return task_state !== ALIVE && task_state !== STOPPED;
}

/** Reads the parts of a live thread. Errors: FormatError for missing parts; UnsupportedError for another machine. */
export function liveThread(set: CriuImageSet, thread: SourceThread): LiveThread {
  const { pid } = thread.process;
  const core = coreOf(set, thread.tid);
  const task = taskCore(set, pid);
  const { thread_core: tc, thread_info: info } = core;
  const ids = coreOf(set, pid).ids ?? set.required(IMAGES.IDS, pid);
  if (tc === undefined || info === undefined)
    throw new FormatError("MISSING", "missing: a thread that lives has registers and a thread_core_entry", {
      file: set.image(IMAGES.CORE, thread.tid)?.source.name,
      path: tc === undefined ? "[0].thread_core" : "[0].thread_info",
    });
  const comm = tc.comm ?? task.comm;
  const attributes = decodeThreadAttributes(core, fileNameOf(IMAGES.CORE, thread.tid));
  const registers = decodeRegisters(info);
  return { ...thread, tc, registers, attributes, task, ids, comm, isStopped: task.task_state === STOPPED };
}

function coreOf(set: CriuImageSet, tid: number): CoreEntry {
  const kept = CORES.get(set) ?? [];
  const known = kept.find((one) => one.tid === tid);
  if (known !== undefined) return known.core;
  const core = set.required(IMAGES.CORE, tid);
  assertX86(set, core);
  CORES.set(set, [{ tid, core }, ...kept.slice(0, 1)]);
  return core;
}

/** The last two that were read: of a thread and of the leader of its process, whose parts are asked for one by one. */
const CORES = new WeakMap<CriuImageSet, readonly { readonly tid: number; readonly core: CoreEntry }[]>();

function assertX86(set: CriuImageSet, { mtype }: CoreEntry): void {
  const name = enumName(CORE_ENTRY_MARCH, mtype);
  if (name !== "X86_64")
    throw new UnsupportedError(`only sets of x86-64 can be converted; this one is of ${name.toLowerCase()}`, {
      file: set.name,
    });
}

function throwTwice(set: CriuImageSet, pid: number): never {
  throw new FormatError("INVALID", `the task ${pid} stands in the process tree twice`, {
    file: set.fileSet.open(fileNameOf(IMAGES.PSTREE))?.name ?? set.name,
  });
}
