import type { Host } from "../host.js";
import { type Image, liveProcesses } from "../image.js";
import { cloneOrderOf } from "./family.js";
import { type LockStep, lockCheckSteps } from "./locks.js";
import type { StepBase } from "./step.js";

/** Reads back what was made, and compares it with the image. */
export type VerificationStep = StepBase & {
  readonly kind: "verify";
  /** The session whose place that of crimg takes: its number is another one. */
  readonly external: number | undefined;
};

export function verificationSteps(image: Image, host: Host): (VerificationStep | LockStep)[] {
  const { external } = cloneOrderOf(image, host);
  const tasks = liveProcesses(image).map(
    ({ process: { ids } }): VerificationStep => ({
      kind: "verify",
      task: ids.pid,
      external,
      what: "compare its ids, memory, descriptors, signals, registers and credentials with the image",
    }),
  );
  return [...tasks, ...lockCheckSteps(image)];
}
