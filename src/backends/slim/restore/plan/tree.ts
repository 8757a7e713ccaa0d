import type { Image } from "../image.js";
import type { ImageProcess } from "../image-task.js";
import type { StepBase } from "./step.js";

const SIGCHLD = 17;

/** Makes processes with their ids, parents, sessions and groups. */
export type TreeStep =
  | (StepBase & { readonly kind: "ids"; readonly ids: readonly number[] })
  | (StepBase & { readonly kind: "husk" })
  | (StepBase & {
      readonly kind: "task";
      readonly process: ImageProcess;
      /** 0 for the root, which becomes a child of crimg. */
      readonly parent: number;
      /** Signal that the parent gets when it ends. */
      readonly exitSignal: number;
    })
  | (StepBase & { readonly kind: "session" })
  | (StepBase & { readonly kind: "group"; readonly group: number })
  | (StepBase & { readonly kind: "zombie"; readonly status: number });

/** The steps that make all processes of an image, each stopped. Errors: FormatError for a damaged image. */
export function treeSteps({ processes }: Image): TreeStep[] {
  const [root] = processes;
  if (root === undefined) return [];
  const ids = processes.flatMap(({ ids: { pid }, threads }) => [pid, ...threads.map(({ tid }) => tid)]);
  return [
    {
      kind: "ids",
      task: 0,
      ids: [...new Set(ids)],
      what: `wait until ${ids.length === 1 ? `the id ${ids[0]} is` : `${new Set(ids).size} ids are`} free`,
    },
    { kind: "husk", task: 0, what: "start an empty process", why: "tasks are cloned from it" },
    ...grow(processes, root),
    ...groupSteps(processes),
    ...zombieSteps(processes),
  ];
}

/** A task and its descendants: a child of another session than its parent's was made before the parent began its own. */
function grow(processes: readonly ImageProcess[], root: ImageProcess): TreeStep[] {
  const children = new Map<number, ImageProcess[]>();
  for (const process of processes) {
    const { pid, ppid } = process.ids;
    if (process === root || pid === ppid) continue;
    const siblings = children.get(ppid);
    if (siblings === undefined) children.set(ppid, [process]);
    else siblings.push(process);
  }
  const steps: TreeStep[] = [];
  const make = (process: ImageProcess, parent: number): void => {
    const { pid, sid } = process.ids;
    steps.push(taskStep(process, parent));
    const own = children.get(pid) ?? [];
    const isOlder = (child: ImageProcess): boolean =>
      sid === pid && child.ids.sid !== sid && child.ids.sid !== child.ids.pid;
    for (const child of own) if (isOlder(child)) make(child, pid);
    if (sid === pid) steps.push({ kind: "session", task: pid, what: "begin its session" });
    for (const child of own) if (!isOlder(child)) make(child, pid);
  };
  make(root, 0);
  return steps;
}

function taskStep(process: ImageProcess, parent: number): TreeStep {
  const { ids, comm, exitSignal, exitStatus } = process;
  const isSilent = parent === 0 || (exitSignal === 0 && exitStatus === undefined);
  return {
    kind: "task",
    task: ids.pid,
    process,
    parent,
    exitSignal: isSilent ? 0 : SIGCHLD,
    what: `make task ${ids.pid} (${comm}), a child of ${parent === 0 ? "crimg" : `task ${parent}`}`,
  };
}

/** Leaders first: others can only join what is there. */
function groupSteps(processes: readonly ImageProcess[]): TreeStep[] {
  const known = new Set(processes.map(({ ids }) => ids.pid));
  const isLeader = ({ ids }: ImageProcess): boolean => ids.pid === ids.pgid;
  return [...processes]
    .sort((a, b) => Number(isLeader(b)) - Number(isLeader(a)))
    .flatMap(({ ids: { pid, pgid, sid } }): TreeStep[] => {
      if (pid === sid || pgid === 0 || !known.has(pgid)) return [];
      const what = pgid === pid ? "lead its group" : `join the group ${pgid}`;
      return [{ kind: "group", task: pid, group: pgid, what }];
    });
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
