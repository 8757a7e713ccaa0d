import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN } from "./record-rule.js";
import { type StoredTaskNumbers, type TaskNumbers, taskNumbers } from "./task-numbers.js";

/** "None" and "that of the root task" as session or group; before b6cdf01 "none" was -1. */
const SPECIAL: ReadonlySet<number> = new Set([-4096, -4097, -1]);

/** The ids at the head; undefined when they cannot be read. */
export function storedTasks({ stream }: StreamContext): StoredTaskNumbers | undefined {
  return taskNumbers(stream);
}

/** Rules about the ids of tasks, and the tree that they make. */
export const pidRules: readonly Rule<StreamContext>[] = [
  {
    id: "PIDS_LENGTH",
    level: "error",
    about:
      "The BUFFER after PIDS holds as many ids, with as many levels in all, as PIDS says, and nothing else.",
    mend: AGAIN,
    *check(context) {
      const pids = context.share(storedTasks)?.pids;
      if (pids === undefined) return;
      const { record, count, levels, objects, rest } = pids;
      const depths = objects.reduce((sum, { depth }) => sum + depth, 0);
      if (objects.length !== count || rest !== 0)
        yield {
          at: context.at(record, { field: "nr_pids" }),
          what: "the ids do not fill their BUFFER",
          expected: `${count} ids`,
          found: `${objects.length} ids${rest > 0 ? ` and ${rest} more words` : ""}`,
        };
      else if (depths !== levels)
        yield {
          at: context.at(record, { field: "nr_vpids" }),
          what: "the ids have another number of levels in all",
          expected: String(levels),
          found: String(depths),
        };
    },
  },
  {
    id: "PIDS_NUMBERS",
    level: "error",
    about: "Ids are above 0, and no two are the same in the outermost pid namespace.",
    mend: AGAIN,
    *check(context) {
      const pids = context.share(storedTasks)?.pids;
      const seen = new Set<number>();
      for (const { numbers } of pids?.objects ?? []) {
        const [number = 0] = numbers;
        const at = context.at((pids?.record ?? 0) + 1);
        if (numbers.some((each) => each <= 0))
          yield { at, what: "no id of a task", found: numbers.join(", ") };
        else if (seen.has(number)) yield { at, what: `the id ${number} is there twice` };
        seen.add(number);
      }
    },
  },
  {
    id: "TASK_TAG",
    level: "error",
    about: "Each id that a task has is one of PIDS.",
    mend: AGAIN,
    *check(context) {
      const ids = context.share(storedTasks);
      if (ids?.pids === undefined) return;
      const { offset, objects } = ids.pids;
      for (const [i, task] of ids.tasks.entries())
        for (const field of ["vpid", "vtgid", "vppid", "vpgid", "vsid"] as const) {
          const tag = task[field];
          if (tag === 0 || (SPECIAL.has(tag) && field !== "vpid")) continue;
          // A parent may also be a place in the list, counted from 1.
          const isPlace = field === "vppid" && tag > 0 && tag < offset && tag <= objects.length;
          if (!isPlace && ids.numberOf(tag) === undefined)
            yield {
              at: context.at(ids.array, { field: `[${i}].${field}` }),
              what: `${tag} names no id`,
              expected: `${offset} to ${offset + objects.length - 1}`,
              found: String(tag),
            };
        }
    },
  },
  {
    id: "TASK_IDS",
    level: "error",
    about: "Each task has a pid and a process id, each pid one task; the first has no parent.",
    mend: AGAIN,
    *check(context) {
      const ids = context.share(storedTasks);
      const seen = new Set<number>();
      for (const [i, { vpid, vppid, vtgid }] of (ids?.tasks ?? []).entries()) {
        const at = context.at(ids?.array ?? 0, { field: `[${i}]` });
        if (vpid === 0 || vtgid === 0) yield { at, what: "a task without an id", found: `${vpid}, ${vtgid}` };
        else if (seen.has(vpid)) yield { at, what: "the pid of another task", found: String(vpid) };
        if (i === 0 && vppid !== 0)
          yield { at, what: "the first task has a parent", expected: "0", found: String(vppid) };
        seen.add(vpid);
      }
    },
  },
  {
    id: "TASK_PARENT",
    level: "error",
    about:
      "The parent of a task stands before it, the leader of a thread is there, and only the first task has none.",
    mend: AGAIN,
    check: parents,
  },
  {
    id: "TASK_DEPTH",
    level: "error",
    about: "A task is as deep in pid namespaces as its pid has numbers below the outermost.",
    mend: AGAIN,
    *check(context) {
      const ids = context.share(storedTasks);
      if (ids?.pids === undefined) return;
      const { offset, objects } = ids.pids;
      for (const [i, { vpid, depth }] of ids.tasks.entries()) {
        const pid = objects[vpid - offset];
        if (pid !== undefined && depth !== pid.depth)
          yield {
            at: context.at(ids.array, { field: `[${i}].depth` }),
            what: "the depth differs from that of the pid",
            expected: String(pid.depth),
            found: String(depth),
          };
      }
    },
  },
  {
    id: "TASK_COUNT",
    level: "error",
    about: "TREE says how many elements follow, and so many TASKs there are.",
    mend: AGAIN,
    *check(context) {
      const { tasks, problem } = context.tree;
      for (const { index, value } of context.each(RECORDS.TREE)) {
        const stored = context.share(storedTasks)?.tasks.length;
        const at = context.at(index, { field: "nr_tasks" });
        if (value.nr_tasks <= 0) yield { at, what: "no task", found: String(value.nr_tasks) };
        else if (stored !== undefined && stored !== value.nr_tasks)
          yield {
            at,
            what: "the BUFFER with the ids of the tasks has another length",
            expected: `${value.nr_tasks} elements`,
            found: `${stored} elements`,
          };
        else if (problem === undefined && tasks.length !== value.nr_tasks)
          yield { at, what: "another number of TASKs", found: String(tasks.length) };
      }
    },
  },
  {
    id: "THREAD_SHARING",
    level: "error",
    about:
      "Threads share the memory, the signal handlers and the signals of their leader: clone(2) makes no others.",
    mend: AGAIN,
    check: threadSharing,
  },
];

function* parents(context: StreamContext): Generator<Found> {
  const ids = context.share(storedTasks);
  if (ids === undefined) return;
  const { offset = 0, objects = [] } = ids.pids ?? {};
  const all = new Set(ids.tasks.map(({ vpid }) => vpid));
  const before = new Set<number>();
  for (const [i, task] of ids.tasks.entries()) {
    const { vpid, vtgid } = task;
    const at = context.at(ids.array, { field: `[${i}]` });
    const ppid = parentTag(task, offset, objects.length);
    if (vtgid !== vpid && !all.has(vtgid))
      yield { at, what: "the leader of the thread is missing", expected: nameOf(ids, vtgid), found: "none" };
    if (i > 0 && vtgid === vpid && !before.has(ppid))
      yield {
        at,
        what: all.has(ppid) ? "the parent stands behind its child" : "the parent is missing",
        expected: nameOf(ids, ppid),
        found: "none before it",
      };
    before.add(vpid);
  }
}

function parentTag({ vppid }: TaskNumbers, offset: number, count: number): number {
  return vppid > 0 && vppid < offset && vppid <= count ? vppid + offset - 1 : vppid;
}

function nameOf(ids: StoredTaskNumbers, tag: number): string {
  return `task ${ids.numberOf(tag) ?? tag}`;
}

function* threadSharing(context: StreamContext): Generator<Found> {
  const ids = context.share(storedTasks);
  const { tasks } = context.tree;
  const objectsOf = tasks.map(({ records }) => {
    const record = records.find((index) => context.stream.kind(index) === RECORDS.TASK_OBJS);
    return { record, value: context.valueAt(record, RECORDS.TASK_OBJS) };
  });
  const leaders = new Map(ids?.tasks.map(({ vpid }, i) => [vpid, objectsOf[i]?.value]));
  for (const [i, { vpid, vtgid }] of (ids?.tasks ?? []).entries()) {
    const own = objectsOf[i];
    const leader = leaders.get(vtgid);
    if (vpid === vtgid || leader === undefined || own?.value === undefined || own.record === undefined)
      continue;
    for (const field of ["mm_objref", "sighand_objref", "signal_objref"] as const)
      if (own.value[field] !== leader[field])
        yield {
          at: context.at(own.record, { field }),
          what: "a thread with another object than its leader",
          expected: String(leader[field]),
          found: String(own.value[field]),
        };
  }
}
