import { IMAGES } from "../../../formats/criu/images.js";
import type { SetContext } from "../context.js";
import type { Found, Place, Rule } from "../finding.js";
import { type TaskFacts, tasksByPid, tasksOf, threadIdsOf } from "../tasks.js";

const PSTREE = IMAGES.PSTREE.file;
const AGAIN = "Undo the edit that did it, or copy pstree.img again from where the set was made.";
/** Largest pid that Linux can give (PID_MAX_LIMIT). */
const MAX_PID = 4 * 1024 * 1024;

/** Rules about the process tree. */
export const treeRules: readonly Rule<SetContext>[] = [
  {
    id: "TREE_MISSING",
    level: "error",
    about: "The set has a process tree.",
    mend: "A pre-dump has none: restore the set whose parent link leads to it. Else copy pstree.img from where the set was made.",
    *check({ set }) {
      if (set.records(IMAGES.PSTREE).length > 0 || set.fileSet.irregular?.().has(PSTREE)) return;
      const isPreDump = set.first(IMAGES.INVENTORY)?.pre_dump_mode !== undefined;
      yield {
        at: { image: PSTREE },
        what: isPreDump ? "this is a pre-dump, which holds memory only" : "no task is stored",
      };
    },
  },
  {
    id: "TREE_ROOT",
    level: "error",
    about: "Exactly one task has no parent, and it is the first.",
    mend: AGAIN,
    *check(context) {
      const tasks = context.share(tasksOf);
      const roots = context.set.records(IMAGES.PSTREE).filter(({ value }) => value.ppid === 0);
      if (tasks.length === 0 || (roots.length === 1 && roots[0]?.index === 0)) return;
      yield {
        at: { image: PSTREE, record: roots[1]?.index ?? roots[0]?.index },
        what: "criu starts at the first task and refuses another root",
        expected: "one root, the first record",
        found:
          roots.length === 0
            ? "no root"
            : roots.length === 1
              ? "a root further down"
              : `${roots.length} roots`,
      };
    },
  },
  {
    id: "TREE_PARENT",
    level: "error",
    about: "The parent of a task is in the tree and stands before it.",
    mend: AGAIN,
    *check(context) {
      const before = new Set<number>();
      const all = context.share(tasksByPid);
      for (const { pid, record, entry } of context.share(tasksOf)) {
        if (entry.ppid !== 0 && !before.has(entry.ppid))
          yield {
            at: { image: PSTREE, record, field: "ppid", pid },
            what: all.has(entry.ppid)
              ? "the parent stands behind its child"
              : "the parent is not in the tree",
            expected: `a record with pid ${entry.ppid} before this one`,
            found: all.has(entry.ppid) ? `record ${all.get(entry.ppid)?.record}` : "none",
          };
        before.add(pid);
      }
    },
  },
  {
    id: "TREE_CYCLE",
    level: "error",
    about: "No task is its own ancestor.",
    mend: AGAIN,
    check: cycles,
  },
  {
    id: "PID_DUPLICATE",
    level: "error",
    about: "No pid or thread id occurs twice.",
    mend: AGAIN,
    *check(context) {
      const seen = new Map<number, TaskFacts>();
      const byPid = context.share(tasksByPid);
      for (const { index: record, value } of context.set.records(IMAGES.PSTREE)) {
        const task = byPid.get(value.pid);
        if (task === undefined) continue;
        if (task.record !== record) {
          yield {
            at: { image: PSTREE, record, pid: task.pid },
            what: `the id ${task.pid} occurs a second time`,
            found: `record ${task.record}`,
          };
          continue;
        }
        const threads = threadIdsOf(task);
        for (const id of threads.includes(task.pid) ? threads : [task.pid, ...threads]) {
          const other = seen.get(id);
          if (other === undefined) seen.set(id, task);
          else
            yield {
              at: taskPlace(task),
              what: `the id ${id} occurs a second time`,
              found: `record ${other.record}`,
            };
        }
      }
    },
  },
  {
    id: "PID_RANGE",
    level: "error",
    about: "Pids, groups and sessions are numbers that Linux can give.",
    mend: AGAIN,
    *check(context) {
      for (const task of context.share(tasksOf)) {
        const { pid, pgid, sid } = task.entry;
        const ids = [pid, ...threadIdsOf(task)];
        const wrong = ids.find((id) => id < 1 || id > MAX_PID) ?? [pgid, sid].find((id) => id > MAX_PID);
        if (wrong !== undefined)
          yield {
            at: taskPlace(task),
            what: "no such pid",
            expected: `1 to ${MAX_PID}`,
            found: String(wrong),
          };
      }
    },
  },
  {
    id: "TREE_LEADER",
    level: "error",
    about: "The first thread of a live task has the task's pid.",
    mend: AGAIN,
    *check(context) {
      for (const task of context.share(tasksOf))
        if (!task.dead && task.core !== undefined && task.entry.threads[0] !== task.pid)
          yield {
            at: { ...taskPlace(task), field: "threads[0]" },
            what: "the first thread is not the leader",
            expected: String(task.pid),
            found: String(task.entry.threads[0] ?? "none"),
          };
    },
  },
];

function taskPlace({ pid, record }: TaskFacts): Place {
  return { image: PSTREE, record, pid };
}

/** Follows each task's parents once; a walk that meets itself is a cycle. */
function* cycles(context: SetContext): Generator<Found> {
  const tasks = context.share(tasksByPid);
  const walkOf = new Map<number, number>();
  for (const [start] of tasks) {
    let pid: number | undefined = start;
    while (pid !== undefined && !walkOf.has(pid)) {
      walkOf.set(pid, start);
      const parent: number | undefined = tasks.get(pid)?.entry.ppid;
      pid = parent !== undefined && tasks.has(parent) ? parent : undefined;
    }
    const task = pid !== undefined && walkOf.get(pid) === start ? tasks.get(pid) : undefined;
    if (task !== undefined)
      yield { at: { ...taskPlace(task), field: "ppid" }, what: "the task descends from itself" };
  }
}
