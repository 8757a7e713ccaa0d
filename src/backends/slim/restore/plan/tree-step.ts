import type { ImageProcess } from "../image-task.js";
import type { StepBase } from "./step.js";

/** Makes processes with their ids, parents, sessions and groups. */
export type TreeStep =
  | (StepBase & { readonly kind: "ids"; readonly ids: readonly number[] })
  | (StepBase & { readonly kind: "stub" })
  | TaskStep
  | (StepBase & { readonly kind: "session" })
  | HelperStep
  | (StepBase & { readonly kind: "group"; readonly group: number })
  | (StepBase & { readonly kind: "end helper"; readonly id: number; readonly parent: number })
  | (StepBase & { readonly kind: "stop" })
  | (StepBase & { readonly kind: "zombie"; readonly status: number });

/** A task is cloned from another one: its parent, or a child of its parent that is in its session (`asSibling`). */
export type TaskStep = StepBase & {
  readonly kind: "task";
  readonly process: ImageProcess;
  /** 0 for the husk: what is made from it becomes a child of crimg. */
  readonly from: number;
  readonly asSibling: boolean;
  /** It has the table of descriptors of the task that it is cloned from: CLONE_FILES. */
  readonly sharesTable: boolean;
  /** Signal that the parent gets when it ends. */
  readonly exitSignal: number;
};

/** Takes the place of the leader of a session or group that had ended, until all that belong to it are there. */
export type HelperStep = StepBase & {
  readonly kind: "helper";
  readonly id: number;
  readonly leads: "session" | "group";
  /** Task that it is a child of, 0 for crimg. */
  readonly parent: number;
};
