import { type Image, liveProcesses } from "../image.js";
import type { ImageThread } from "../image-task.js";
import type { StepBase } from "./step.js";

/** Attributes of processes and threads that no other phase sets: oom_score_adj, nice, scheduler, personality … */
export type AttributeStep =
  | (StepBase & { readonly kind: "process attributes" })
  | (StepBase & { readonly kind: "thread attributes"; readonly thread: ImageThread });

/** Those that need privileges and bind nobody yet: before the credentials. */
export function attributeSteps(image: Image): AttributeStep[] {
  return liveProcesses(image).flatMap(({ process: { ids, threads } }): AttributeStep[] => [
    {
      kind: "process attributes",
      task: ids.pid,
      what: "say whether it reaps orphans, has huge pages, barriers, and how soon it goes when memory is short",
    },
    ...threads.map(
      (thread): AttributeStep => ({
        kind: "thread attributes",
        task: ids.pid,
        thread,
        what: `set scheduling and personality of thread ${thread.tid}`,
      }),
    ),
  ]);
}
