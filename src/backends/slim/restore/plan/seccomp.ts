import type { Image } from "../image.js";
import type { StepBase } from "./step.js";

/** Filters of system calls, seccomp(2): after them only what they let through can be done. */
export type SeccompStep = StepBase & { readonly kind: "seccomp"; readonly tid: number };

export function seccompSteps(_image: Image): SeccompStep[] {
  return [];
}
