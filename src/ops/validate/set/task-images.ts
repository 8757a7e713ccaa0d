import { fileNameOf } from "../../../formats/criu/detect.js";
import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { TASK_STATE } from "../../../formats/criu/names.js";
import { CORE_ENTRY_MARCH } from "../../../formats/criu/tables/core.js";
import { enumName } from "../../../io/enums.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import type { SetContext } from "../context.js";
import type { Found, Rule } from "../finding.js";
import { tasksByPid, tasksByTid, tasksOf, threadIdsOf } from "../tasks.js";

const COPY = "Copy the missing file from where the set was made.";

/** Kinds whose number is a pid, and whether a live task must have one. */
const TASK_KINDS: readonly (readonly [kind: ImageKind, required: boolean])[] = [
  [IMAGES.IDS, true],
  [IMAGES.MM, true],
  [IMAGES.FS, true],
  [IMAGES.PAGEMAP, true],
  [IMAGES.CREDS, false],
  [IMAGES.VMAS, false],
  [IMAGES.SIGACT, false],
  [IMAGES.RLIMIT, false],
  [IMAGES.ITIMERS, false],
  [IMAGES.POSIX_TIMERS, false],
  [IMAGES.SIGNAL, false],
];

/** Rules about the images that belong to one task or thread. */
export const taskImageRules: readonly Rule<SetContext>[] = [
  {
    id: "IMAGE_MISSING",
    level: "error",
    about: "A task has its core image; a live one its ids, mm, fs and pagemap images too.",
    mend: COPY,
    *check(context) {
      for (const { pid, core, dead } of context.share(tasksOf)) {
        yield* missing(context, IMAGES.CORE, pid, pid);
        if (dead) continue;
        for (const [kind, required] of TASK_KINDS)
          if (required && !(kind === IMAGES.IDS && core?.ids !== undefined))
            yield* missing(context, kind, pid, pid);
      }
    },
  },
  {
    id: "THREAD_IMAGE_MISSING",
    level: "error",
    about: "Each thread has its core image.",
    mend: COPY,
    *check(context) {
      for (const task of context.share(tasksOf))
        for (const tid of threadIdsOf(task))
          if (tid !== task.pid) yield* missing(context, IMAGES.CORE, tid, task.pid);
    },
  },
  {
    id: "CORE_PARTS",
    level: "error",
    about:
      "The core image of a task's leader holds what the task has in common, and that of each live thread its thread's part.",
    mend: "Copy the core image again from where the set was made.",
    *check(context) {
      const { set } = context;
      for (const { pid, core, dead } of context.share(tasksOf)) {
        const at = { image: fileNameOf(IMAGES.CORE, pid), record: 0, pid };
        if (core !== undefined && core.tc === undefined) yield { at, what: "tc is missing" };
        if (core !== undefined && !dead && core.thread_core === undefined)
          yield { at, what: "thread_core is missing" };
      }
      for (const [tid, { pid }] of context.share(tasksByTid)) {
        const core = tid === pid ? undefined : set.first(IMAGES.CORE, tid);
        if (core !== undefined && core.thread_core === undefined)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, tid), record: 0, pid },
            what: "thread_core is missing",
          };
      }
    },
  },
  {
    id: "CORE_ARCHITECTURE",
    level: "error",
    about: "All tasks and threads are of one architecture.",
    mend: "The set is put together from two machines: copy it again as a whole.",
    *check(context) {
      const { set } = context;
      const expected = context.share(tasksOf)[0]?.core?.mtype;
      for (const id of set.ids(IMAGES.CORE)) {
        const mtype = set.first(IMAGES.CORE, id)?.mtype;
        if (mtype !== undefined && expected !== undefined && mtype !== expected)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, id), record: 0, field: "mtype" },
            what: "another architecture than the root task's",
            expected: enumName(CORE_ENTRY_MARCH, expected),
            found: enumName(CORE_ENTRY_MARCH, mtype),
          };
      }
    },
  },
  {
    id: "TASK_STATE",
    level: "error",
    about: "A task is alive, stopped or a zombie.",
    mend: "Copy the core image again from where the set was made.",
    *check(context) {
      for (const { pid, core } of context.share(tasksOf)) {
        const state = core?.tc?.task_state;
        if (state !== undefined && !TASK_STATE.names.has(state))
          yield {
            at: { image: fileNameOf(IMAGES.CORE, pid), record: 0, field: "tc.task_state", pid },
            what: "no state of a task",
            expected: [...TASK_STATE.names].map(([value, name]) => `${value} (${name})`).join(", "),
            found: String(state),
          };
      }
    },
  },
  {
    id: "RLIMIT_COUNT",
    level: "warning",
    about: "A task has the 16 resource limits of Linux.",
    mend: "Take the edit back that changed them; criu leaves those that are missing as its own are.",
    *check(context) {
      for (const { pid, core } of context.share(tasksOf)) {
        const count = core?.tc?.rlimits?.rlimits.length;
        if (count !== undefined && count !== RLIM_NLIMITS)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, pid), record: 0, field: "tc.rlimits", pid },
            what: "a wrong number of limits",
            expected: String(RLIM_NLIMITS),
            found: String(count),
          };
      }
    },
  },
  {
    id: "IMAGE_STRAY",
    level: "warning",
    about: "An image of a task belongs to one that is in the tree.",
    mend: "Take the file out of the set, or copy pstree.img again: a task may be missing there.",
    *check(context) {
      const tasks = context.share(tasksByPid);
      const threads = context.share(tasksByTid);
      if (tasks.size === 0) return;
      const kinds = new Set<ImageKind | undefined>(TASK_KINDS.map(([kind]) => kind));
      for (const { name, kind, id } of context.set.files) {
        if (id === undefined || tasks.has(id)) continue;
        if (kinds.has(kind) || (kind === IMAGES.CORE && !threads.has(id)))
          yield {
            at: { image: name },
            what: "no task has this pid",
            expected: `task ${id} in the tree`,
            found: "none",
          };
      }
    },
  },
  {
    id: "FDINFO_MISSING",
    level: "warning",
    about:
      "A live task has its table of descriptors; without the file it starts with none open, and criu does not say so.",
    mend: COPY,
    *check(context) {
      for (const { pid, ids, dead } of context.share(tasksOf)) {
        if (dead || ids === undefined) continue;
        const image = fileNameOf(IMAGES.FDINFO, ids.files_id);
        if (!context.share(fileNames).has(image))
          yield { at: { image, pid }, what: "the task comes back with no open descriptor" };
      }
    },
  },
];

function* missing(context: SetContext, kind: ImageKind, id: number, pid: number): Generator<Found> {
  const image = fileNameOf(kind, id);
  if (!context.share(fileNames).has(image)) yield { at: { image, pid }, what: "the file is missing" };
}

function fileNames({ set }: SetContext): ReadonlySet<string> {
  return new Set(set.files.map(({ name }) => name));
}
