import type { Host } from "../host.js";
import type { Image } from "../image.js";
import type { ImageProcess } from "../image-task.js";
import { type CloneOrder, cloneOrderOf } from "./family.js";
import { groupSteps } from "./groups.js";
import { type ControlStep, controlSteps } from "./session-terminals.js";
import type { HelperStep, TreeStep } from "./tree-step.js";

/** The steps that make all processes of an image, each stopped. Errors: FormatError for a damaged image. */
export function treeSteps(image: Image, host: Host): (TreeStep | ControlStep)[] {
  const { processes } = image;
  const family = cloneOrderOf(image, host);
  const groups = groupSteps(processes, family);
  const helpers = [...family.steps, ...groups].filter((step) => step.kind === "helper");
  return [
    idsStep(processes, helpers),
    { kind: "stub", task: 0, what: "start an empty process", why: "tasks are cloned from it" },
    ...family.steps.flatMap((step): (TreeStep | ControlStep)[] =>
      step.kind === "session" ? [step, ...controlSteps(image, step.task)] : [step],
    ),
    ...groups,
    ...helpers.map(
      ({ id, parent }): TreeStep => ({
        kind: "end helper",
        task: parent,
        id,
        parent,
        what: `end the stand-in ${id}`,
      }),
    ),
    ...stopSteps(processes),
    ...zombieSteps(processes),
  ];
}

/** Sessions that cannot be rebuilt, a sentence for each task. */
export function unsupportedTree(image: Image, host: Host): readonly string[] {
  const family: CloneOrder = cloneOrderOf(image, host);
  const sessions = new Map(image.processes.map(({ ids }) => [ids.pid, ids.sid]));
  return [
    ...family.unsupported,
    ...image.processes.flatMap(({ ids: { pid, pgid, sid } }) => {
      const other = sessions.get(pgid);
      return other === undefined || other === sid
        ? []
        : [`task ${pid} is in the group ${pgid} of the session ${other}, and in the session ${sid} itself`];
    }),
  ];
}

function idsStep(processes: readonly ImageProcess[], helpers: readonly HelperStep[]): TreeStep {
  const ids = new Set([
    ...processes.flatMap(({ ids: { pid }, threads }) => [pid, ...threads.map(({ tid }) => tid)]),
    ...helpers.map(({ id }) => id),
  ]);
  const what = `wait until ${ids.size === 1 ? `the id ${[...ids][0]} is` : `${ids.size} ids are`} free`;
  return { kind: "ids", task: 0, ids: [...ids], what };
}

/** Before its parent forgets all signals that came meanwhile, as that of the stop. */
function stopSteps(processes: readonly ImageProcess[]): TreeStep[] {
  return processes
    .filter(({ isStopped, exitStatus }) => isStopped && exitStatus === undefined)
    .map(({ ids }) => ({ kind: "stop", task: ids.pid, what: "stop as by SIGSTOP, once it is let go" }));
}

function zombieSteps(processes: readonly ImageProcess[]): TreeStep[] {
  return processes.flatMap(({ ids, exitStatus }): TreeStep[] =>
    exitStatus === undefined
      ? []
      : [
          {
            kind: "zombie",
            task: ids.pid,
            status: exitStatus,
            what: `end with status 0x${exitStatus.toString(16)}`,
            why: "its parent had not taken note of its end",
          },
        ],
  );
}
