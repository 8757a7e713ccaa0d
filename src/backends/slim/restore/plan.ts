import { type CredentialStep, credentialSteps } from "../credentials/plan.js";
import {
  type DirectoryStep,
  descriptorSteps,
  directorySteps,
  type FileStep,
  fileSteps,
  type OwnerStep,
  ownerSteps,
  type WatchStep,
  watchSteps,
} from "../files/plan.js";
import { type LockStep, lockCheckSteps, lockSteps } from "../locks/plan.js";
import { type MemoryStep, memorySteps } from "../memory/plan.js";
import { type SeccompStep, seccompSteps } from "../seccomp/plan.js";
import { type SignalStep, signalSteps } from "../signals/plan.js";
import { type ConnectionStep, connectionSteps } from "../sockets/plan.js";
import { cloneOrderOf, type TreeStep } from "../tasks/clone-order.js";
import type { ImageThread } from "../tasks/image.js";
import {
  type AttributeStep,
  attributeSteps,
  type ThreadStep,
  threadSteps,
  treeSteps,
} from "../tasks/plan.js";
import { type TerminalStep, terminalSteps } from "../terminals/plan.js";
import { type DeadlineStep, deadlineSteps } from "../timers/plan.js";
import type { Host } from "./host.js";
import { type Image, liveProcesses } from "./image.js";
import type { StepBase } from "./step.js";

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
 * are open before anything is made, all tasks have their descriptors before one watches or locks, and no task runs before
 * all are restored.
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

type PhaseName = (typeof ORDER)[number][0];

/** A part of the work that is done for all tasks before the next part begins. */
interface Phase {
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
function registerSteps(image: Image): LifeStep[] {
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

function resumeSteps(image: Image): LifeStep[] {
  // Until then all tasks end with crimg; from then on the kernel lets go those that crimg still holds.
  const outlive: LifeStep = { kind: "outlive", task: 0, what: "detach the life of all tasks from crimg" };
  const tasks = liveProcesses(image).map(({ process }) => process);
  const steps: LifeStep[] = [
    {
      kind: "close files",
      task: 0,
      what: "close the files that crimg has open",
      why: "no task may see an end of a pipe that only crimg holds",
    },
    // Stopped ones first: no other task sees them run.
    ...tasks
      .filter(({ isStopped }) => isStopped)
      .map(
        ({ ids }): LifeStep => ({
          kind: "leave stopped",
          task: ids.pid,
          what: "detach from it, stopped",
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

/** Reads back what was made, and compares it with the image. */
export type VerificationStep = StepBase & {
  readonly kind: "verify";
  /** The session whose place that of crimg takes: its number is another one. */
  readonly external: number | undefined;
};

function verificationSteps(image: Image, host: Host): (VerificationStep | LockStep)[] {
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
