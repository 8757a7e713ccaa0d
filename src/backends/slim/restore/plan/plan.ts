import type { Host } from "../host.js";
import type { Image } from "../image.js";
import { type AttributeStep, attributeSteps } from "./attributes.js";
import { type ConnectionStep, connectionSteps } from "./connections.js";
import { type CredentialStep, credentialSteps } from "./credentials.js";
import { type DeadlineStep, deadlineSteps } from "./deadlines.js";
import { type DirectoryStep, directorySteps } from "./directories.js";
import { descriptorSteps, type FileStep, fileSteps } from "./files.js";
import { type LifeStep, registerSteps, resumeSteps } from "./life.js";
import { type LockStep, lockSteps } from "./locks.js";
import { type MemoryStep, memorySteps } from "./memory.js";
import { type OwnerStep, ownerSteps } from "./owners.js";
import { type SeccompStep, seccompSteps } from "./seccomp.js";
import { type SignalStep, signalSteps } from "./signals.js";
import { type TerminalStep, terminalSteps } from "./terminals.js";
import { type ThreadStep, threadSteps } from "./threads.js";
import { treeSteps } from "./tree.js";
import type { TreeStep } from "./tree-step.js";
import { type VerificationStep, verificationSteps } from "./verification.js";
import { type WatchStep, watchSteps } from "./watches.js";

/** One thing that a restart does, told apart by `kind`. */
export type Step =
  | AttributeStep
  | ConnectionStep
  | CredentialStep
  | DeadlineStep
  | DirectoryStep
  | FileStep
  | LifeStep
  | LockStep
  | MemoryStep
  | OwnerStep
  | SeccompStep
  | SignalStep
  | TerminalStep
  | ThreadStep
  | TreeStep
  | VerificationStep
  | WatchStep;

/**
 * The order of work. A phase is done for all tasks before the next begins, so each may rely on all those above it: files
 * are open before anything is made, all tasks have their descriptors before one watches or locks, and nobody runs before
 * everybody is restored.
 */
export const ORDER = [
  ["files", fileSteps],
  ["tasks", treeSteps],
  ["memory", memorySteps],
  ["directories", directorySteps],
  ["descriptors", descriptorSteps],
  ["threads", threadSteps],
  ["terminals", terminalSteps],
  ["watches", watchSteps],
  ["locks", lockSteps],
  ["signals", signalSteps],
  ["attributes", attributeSteps],
  // What is left of these counts from now on.
  ["deadlines", deadlineSteps],
  // A lease that is broken again would send its holder a signal, and taking one makes the holder the owner.
  ["owners", ownerSteps],
  // Privileges may be needed to install filters, which bind only once tasks run.
  ["seccomp", seccompSteps],
  // From here on tasks may do less and less.
  ["credentials", credentialSteps],
  ["registers", registerSteps],
  ["verification", verificationSteps],
  ["connections", connectionSteps],
  ["resume", resumeSteps],
] as const satisfies readonly (readonly [string, (image: Image, host: Host) => readonly Step[]])[];

export type PhaseName = (typeof ORDER)[number][0];

/** A part of the work that is done for all tasks before the next part begins. */
export interface Phase {
  readonly name: PhaseName;
  readonly steps: readonly Step[];
}

/**
 * What a restart of an image does on a host, step by step, in order. Pure: of the memory of the tasks only where pages
 * stand is looked at. Errors: FormatError for a damaged image.
 */
export function planOf(image: Image, host: Host): Phase[] {
  return ORDER.map(([name, stepsOf]) => ({ name, steps: stepsOf(image, host) }));
}
