import type { Image } from "../image.js";
import type { StepBase } from "./step.js";

/** Who gets SIGIO for a file, F_SETOWN_EX and F_SETSIG of fcntl(2): all tasks exist. */
export type OwnerStep = StepBase & { readonly kind: "owner"; readonly objref: number };

export function ownerSteps(_image: Image): OwnerStep[] {
  return [];
}
