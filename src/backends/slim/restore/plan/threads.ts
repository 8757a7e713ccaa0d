import { type Image, liveProcesses } from "../image.js";
import type { ImageThread } from "../image-task.js";
import type { StepBase } from "./step.js";

/** Makes threads, and what the kernel keeps for each beside its registers. */
export type ThreadStep =
  | (StepBase & { readonly kind: "thread"; readonly thread: ImageThread })
  | (StepBase & { readonly kind: "set up thread"; readonly thread: ImageThread });

export function threadSteps(image: Image): ThreadStep[] {
  return liveProcesses(image).flatMap(({ process }) => {
    const task = process.ids.pid;
    return process.threads.flatMap((thread): ThreadStep[] => {
      const { tid, comm } = thread;
      const what = `set up thread ${tid}: name, signal stack, robust futexes, restartable sequences`;
      const setUp: ThreadStep = { kind: "set up thread", task, thread, what };
      return tid === task
        ? [setUp]
        : [{ kind: "thread", task, thread, what: `make thread ${tid} (${comm})` }, setUp];
    });
  });
}
