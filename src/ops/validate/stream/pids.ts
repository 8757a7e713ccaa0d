import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { IDS_STAY, SET_FIELD } from "./record-rule.js";
import { type StoredTaskNumbers, taskNumbers } from "./task-numbers.js";

/** "None" and "that of the root task" as session or group; before b6cdf01 "none" was -1. */
const SPECIAL: ReadonlySet<number> = new Set([-4096, -4097, -1]);

/** The ids at the head; undefined when they cannot be read. */
export function storedTasks({ stream }: StreamContext): StoredTaskNumbers | undefined {
  return taskNumbers(stream);
}

/** Rules about how the ids of tasks are stored. */
export const pidRules: readonly Rule<StreamContext>[] = [
  {
    id: "PIDS_LENGTH",
    level: "error",
    about:
      "The BUFFER after PIDS holds as many ids, with as many levels in all, as PIDS says, and nothing else.",
    fix: SET_FIELD,
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
    about: "The numbers of an id in nested pid namespaces are above 0.",
    fix: IDS_STAY,
    *check(context) {
      const pids = context.share(storedTasks)?.pids;
      for (const { numbers } of pids?.objects ?? [])
        if (numbers.slice(1).some((each) => each <= 0))
          yield {
            at: context.at((pids?.record ?? 0) + 1),
            what: "invalid id in a nested pid namespace",
            expected: "1 or more",
            found: numbers.join(", "),
          };
    },
  },
  {
    id: "TASK_TAG",
    level: "error",
    about: "Each id that a task has is one of PIDS.",
    fix: IDS_STAY,
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
    id: "THREAD_LEADER",
    level: "error",
    about: "The leader of a thread is in the stream.",
    fix: IDS_STAY,
    *check(context) {
      const ids = context.share(storedTasks);
      const all = new Set(ids?.tasks.map(({ vpid }) => vpid));
      for (const [i, { vtgid }] of ids?.tasks.entries() ?? [])
        if (!all.has(vtgid))
          yield {
            at: context.at(ids?.array ?? 0, { field: `[${i}].vtgid` }),
            what: "missing leader of a thread",
            expected: `task ${ids?.numberOf(vtgid) ?? vtgid}`,
            found: "none",
          };
    },
  },
  {
    id: "TASK_DEPTH",
    level: "error",
    about: "A task is as deep in pid namespaces as its pid has numbers below the outermost.",
    fix: IDS_STAY,
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
    fix: SET_FIELD,
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
    fix: SET_FIELD,
    check: threadSharing,
  },
];

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
