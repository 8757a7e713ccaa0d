import { type Image, living } from "../image.js";
import type { ImageThread } from "../image-task.js";
import type { StepBase } from "./step.js";

/** From work to life. */
export type LifeStep =
  | (StepBase & { readonly kind: "registers"; readonly thread: ImageThread })
  | (StepBase & { readonly kind: "resume" });

/** Registers, extended state and signal masks; the leader of each process comes last and takes the work area away. */
export function registerSteps(image: Image): LifeStep[] {
  return living(image).flatMap(({ process: { ids, threads } }) =>
    [...threads.slice(1), ...threads.slice(0, 1)].map(
      (thread): LifeStep => ({
        kind: "registers",
        task: ids.pid,
        thread,
        what: `give thread ${thread.tid} its registers, at 0x${thread.registers.get("rip").toString(16)}`,
      }),
    ),
  );
}

export function resumeSteps(image: Image): LifeStep[] {
  return living(image).map(({ process: { ids, isStopped } }) => ({
    kind: "resume",
    task: ids.pid,
    what: isStopped ? "let it be, stopped as it was" : "let it run",
  }));
}
