import { isCrimgError } from "../../../io/errors.js";
import type { Task } from "../../../model/checkpoint.js";
import type { AddressRange } from "../../../model/origin.js";
import { stringsAt } from "../../../model/strings.js";
import type { ImageContext } from "../context.js";
import type { Found, Rule } from "../finding.js";

/** Names that kernel threads have; those of workers begin so. */
const KERNEL_THREADS =
  /^(?:kthreadd|k(?:worker|softirqd)\/.*|kswapd\d+|kcompactd\d+|k(?:hugepaged|devtmpfs|auditd|hungtaskd|blockd|integrityd|throtld|smd)|(?:migration|cpuhp|idle_inject|watchdog|irq|jbd2|xfsaild)\/.*|rcu_.*|rcuo[bgps]\/.*|watchdogd|oom_reaper|writeback|scsi_(?:eh|tmf)_\d+|ext4-rsv-conver|mm_percpu_wq|inet_frag_wq|slub_flushwq)$/;
/** As ps(1) shows tasks without arguments. */
const BRACKETS = /^\[.+\]$/;
/** ld.so(8) loads what these name before all other libraries. */
const PRELOADS = /^(?:LD_PRELOAD|LD_AUDIT)=./s;

/** Rules about what tasks pretend to be, and what runs inside them unseen. */
export const disguiseRules: readonly Rule<ImageContext>[] = [
  {
    id: "SUSPICIOUS_NAME",
    level: "warning",
    about: "A task with memory of its own is not called like a kernel thread.",
    fix: "crimg show IMG tree and crimg show IMG env tell what it is.",
    *check(context) {
      for (const task of userTasks(context)) {
        const argv0 = stringsOf(task, task.mm?.argv)[0] ?? "";
        const isKernels = KERNEL_THREADS.test(task.comm) || BRACKETS.test(task.comm);
        if (isKernels || BRACKETS.test(argv0))
          yield {
            at: context.placeOf(task.origin, { pid: task.pid }),
            what: "the task is called like a kernel thread and is none",
            found: isKernels ? task.comm : argv0,
          };
      }
    },
  },
  {
    id: "SUSPICIOUS_PRELOAD",
    level: "warning",
    about: "No environment has LD_PRELOAD or LD_AUDIT.",
    fix: "crimg edit --env PID:LD_PRELOAD= empties it; the library stays mapped.",
    *check(context) {
      for (const task of userTasks(context)) yield* preloads(task, context);
    },
  },
];

function* preloads(task: Task, context: ImageContext): Generator<Found> {
  const { mm, pid } = task;
  if (mm === undefined) return;
  for (const variable of stringsOf(task, mm.environ))
    if (PRELOADS.test(variable))
      yield {
        at: context.placeOf(mm.origin, { pid }),
        what: "a library is preloaded by the environment",
        found: variable,
      };
}

/** None where the memory cannot be read: what is damaged is told by other rules. */
function stringsOf(task: Task, area: AddressRange | undefined): readonly string[] {
  try {
    return stringsAt(task.memory(), area).strings;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return [];
  }
}

function userTasks({ checkpoint }: ImageContext): readonly Task[] {
  return checkpoint.tasks.filter(({ mm }) => mm !== undefined);
}
