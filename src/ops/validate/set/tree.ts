import { IMAGES } from "../../../formats/criu/images.js";
import type { SetContext } from "../context.js";
import type { Place, Rule } from "../finding.js";
import { type TaskFacts, tasksOf } from "../tasks.js";

const PSTREE = IMAGES.PSTREE.file;

/** Rules about how a set stores its process tree. */
export const treeRules: readonly Rule<SetContext>[] = [
  {
    id: "TREE_MISSING",
    level: "error",
    about: "The set has a process tree.",
    fix: "A pre-dump has none: restore the set whose parent link leads to it. Else copy pstree.img from where the set was made.",
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
    id: "TREE_LEADER",
    level: "error",
    about: "The first thread of a live task has the task's pid.",
    fix: "crimg edit --set gives the task the id of its first thread, or the first thread that of the task.",
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
