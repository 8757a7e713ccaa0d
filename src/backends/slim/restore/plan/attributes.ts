import type { Image } from "../image.js";
import type { StepBase } from "./step.js";

/** Attributes of processes and threads that no other phase sets: oom_score_adj, nice, scheduler, personality … */
export type AttributeStep = StepBase & { readonly kind: "attributes" };

/** Those that need privileges and bind nobody yet: before the credentials. */
export function attributeSteps(_image: Image): AttributeStep[] {
  return [];
}
