import type { Image } from "../image.js";
import type { StepBase } from "./step.js";

/** Controlling terminals, ioctl_tty(2): sessions exist, and their leaders have the descriptors. */
export type TerminalStep = StepBase & { readonly kind: "controlling terminal"; readonly fd: number };

export function terminalSteps(_image: Image): TerminalStep[] {
  return [];
}
