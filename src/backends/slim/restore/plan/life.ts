import { type Image, liveProcesses } from "../image.js";
import type { ImageThread } from "../image-task.js";
import type { StepBase } from "./step.js";

/** From work to life. */
export type LifeStep =
  | (StepBase & { readonly kind: "registers"; readonly thread: ImageThread })
  | (StepBase & { readonly kind: "outlive" })
  | (StepBase & { readonly kind: "close files" })
  | (StepBase & { readonly kind: "leave stopped" })
  | (StepBase & { readonly kind: "resume" })
  | (StepBase & { readonly kind: "note substitutes" })
  | (StepBase & { readonly kind: "remove substitutes" });

/** Registers, extended state and signal masks; the leader of each process comes last and takes the work area away. */
export function registerSteps(image: Image): LifeStep[] {
  return liveProcesses(image).flatMap(({ process: { ids, threads } }) =>
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
  // Until then all tasks end with crimg; from then on the kernel lets go those that crimg still holds.
  const outlive: LifeStep = { kind: "outlive", task: 0, what: "let all tasks outlive crimg" };
  const tasks = liveProcesses(image).map(({ process }) => process);
  const steps: LifeStep[] = [
    {
      kind: "close files",
      task: 0,
      what: "close the files that crimg has open",
      why: "a pipe without reader has none when its writer runs",
    },
    // Stopped ones first: nobody who looks at them sees them run.
    ...tasks
      .filter(({ isStopped }) => isStopped)
      .map(
        ({ ids }): LifeStep => ({
          kind: "leave stopped",
          task: ids.pid,
          what: "leave it, stopped as it was",
        }),
      ),
    ...tasks
      .filter(({ isStopped }) => !isStopped)
      .map(({ ids }): LifeStep => ({ kind: "resume", task: ids.pid, what: "let it run" })),
  ];
  const isKept = image.files.all.some(({ deleted }) => deleted !== undefined && deleted.method !== "ghost");
  if (!isKept) return [outlive, ...steps];
  return [
    outlive,
    {
      kind: "note substitutes",
      task: 0,
      what: "note what kept deleted files",
      why: "nothing of the image is lost before the tasks live on",
    },
    {
      kind: "remove substitutes",
      task: 0,
      what: "remove what kept deleted files",
      why: "the tasks count the names of a file as they did",
    },
    ...steps,
  ];
}
