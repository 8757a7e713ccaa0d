import { fileNameOf } from "../../../formats/criu/detect.js";
import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { CORE_ENTRY, CORE_ENTRY_MARCH, type CoreEntry } from "../../../formats/criu/tables/core.js";
import { FXSAVE_COUNTS, XSAVE_COUNTS } from "../../../formats/criu/tables/core-x86.js";
import { enumName } from "../../../io/enums.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import type { AnyValue } from "../../../schema/message.js";
import type { SetContext } from "../context.js";
import type { Found, Rule } from "../finding.js";
import { strays, tasksByTid, tasksOf, threadIdsOf } from "../tasks.js";

const COPY = "Copy the missing file from where the set was made.";

/** What a live task must have; the ids may stand in its core image. */
const REQUIRED = [IMAGES.IDS, IMAGES.MM, IMAGES.FS, IMAGES.PAGEMAP];

/** The field for the registers of a core's machine, if the core lacks it: `thread_info` on x86, `ti_arm` on ARM … */
function missingRegisters(core: CoreEntry | undefined): string | undefined {
  if (core === undefined) return undefined;
  const machine = enumName(CORE_ENTRY_MARCH, core.mtype);
  const field = machine === "X86_64" ? "thread_info" : `ti_${machine.toLowerCase()}`;
  return field in CORE_ENTRY.fields && (core as AnyValue)[field] === undefined ? field : undefined;
}

function* wrongRegisterCounts(
  core: CoreEntry | undefined,
): Generator<{ readonly field: string; readonly expected: string; readonly found: string }> {
  const fpregs = core?.thread_info?.fpregs;
  if (fpregs === undefined) return;
  const path = "thread_info.fpregs";
  for (const [name, count] of FXSAVE_COUNTS) {
    const { length } = fpregs[name];
    if (length < count) yield { field: `${path}.${name}`, expected: `${count} numbers`, found: `${length}` };
  }
  for (const [name, count] of XSAVE_COUNTS) {
    const length = fpregs.xsave?.[name].length ?? 0;
    if (length !== count && length !== 0)
      yield { field: `${path}.xsave.${name}`, expected: `${count} numbers, or none`, found: `${length}` };
  }
}

/** Rules about the images that belong to one task or thread. */
export const taskImageRules: readonly Rule<SetContext>[] = [
  {
    id: "IMAGE_MISSING",
    level: "error",
    about: "A task has its core image; a live one its ids, mm, fs and pagemap images too.",
    fix: COPY,
    *check(context) {
      for (const { pid, core, dead } of context.share(tasksOf)) {
        yield* missing(context, IMAGES.CORE, pid, pid);
        if (dead) continue;
        for (const kind of REQUIRED)
          if (kind !== IMAGES.IDS || core?.ids === undefined) yield* missing(context, kind, pid, pid);
      }
    },
  },
  {
    id: "THREAD_IMAGE_MISSING",
    level: "error",
    about: "Each thread has its core image.",
    fix: COPY,
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
      "The core image of a task's leader holds what the task has in common, and that of each live thread its thread's part and the registers of its machine.",
    fix: "Take the core image of this task or thread as it was dumped.",
    *check(context) {
      const { set } = context;
      for (const { pid, core, dead } of context.share(tasksOf)) {
        const at = { image: fileNameOf(IMAGES.CORE, pid), record: 0, pid };
        if (core !== undefined && core.tc === undefined) yield { at, what: "tc is missing" };
        if (core !== undefined && !dead && core.thread_core === undefined)
          yield { at, what: "thread_core is missing" };
        const registers = dead ? undefined : missingRegisters(core);
        if (registers !== undefined) yield { at, what: `the registers are missing: ${registers}` };
      }
      for (const [tid, { pid }] of context.share(tasksByTid)) {
        const core = tid === pid ? undefined : set.first(IMAGES.CORE, tid);
        if (core !== undefined && core.thread_core === undefined)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, tid), record: 0, pid },
            what: "thread_core is missing",
          };
        const registers = missingRegisters(core);
        if (registers !== undefined)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, tid), record: 0, pid },
            what: `the registers are missing: ${registers}`,
          };
      }
    },
  },
  {
    id: "REGISTER_COUNT",
    level: "error",
    about: "The lists of floating point and vector registers have the lengths of the processor's areas.",
    fix: "Take the core image of this task or thread as it was dumped.",
    *check(context) {
      const { set } = context;
      const tids = set
        .ids(IMAGES.CORE)
        .filter((id) => !context.share(strays).has(fileNameOf(IMAGES.CORE, id)));
      for (const id of tids)
        for (const { field, ...counts } of wrongRegisterCounts(set.first(IMAGES.CORE, id)))
          yield {
            at: { image: fileNameOf(IMAGES.CORE, id), record: 0, field },
            what: "the list is of another length than the registers",
            ...counts,
          };
    },
  },
  {
    id: "CORE_ARCHITECTURE",
    level: "error",
    about: "All tasks and threads are of one architecture.",
    fix: "The set holds core images of two machines: take those of one dump.",
    *check(context) {
      const { set } = context;
      const expected = context.share(tasksOf)[0]?.core?.mtype;
      for (const id of set.ids(IMAGES.CORE)) {
        if (context.share(strays).has(fileNameOf(IMAGES.CORE, id))) continue;
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
    id: "RLIMIT_COUNT",
    level: "warning",
    about: "A task has the 16 resource limits of Linux.",
    fix: "Take the edit back that changed them; criu leaves those that are missing as its own are.",
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
    level: "note",
    about:
      "Images of tasks belong to tasks of the tree; others are left from an earlier dump, and no restore reads them.",
    fix: "Nothing is to be done, unless pstree.img has lost a task: then copy it from where the set was made.",
    *check(context) {
      const [first, ...others] = context.share(strays);
      if (first !== undefined)
        yield {
          at: { image: first },
          what: `${others.length + 1} images of tasks that are not in the tree`,
          found: [first, ...others.slice(0, 4)].join(", ") + (others.length > 4 ? " \u2026" : ""),
        };
    },
  },
  {
    id: "FDINFO_MISSING",
    level: "warning",
    about:
      "A live task has its table of descriptors; without the file it starts with none open, and criu does not say so.",
    fix: COPY,
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
