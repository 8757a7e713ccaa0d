import type { Host } from "../restore/host.js";
import { type Image, liveProcesses, tableOwners } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import { type ControlStep, controlSteps } from "../terminals/plan.js";
import { type CloneOrder, cloneOrderOf, type HelperStep, type TreeStep } from "./clone-order.js";
import type { ImageProcess, ImageThread } from "./image.js";

/** The steps that make all processes of an image, each stopped. Errors: FormatError for a damaged image. */
export function treeSteps(image: Image, host: Host): (TreeStep | ControlStep)[] {
  const { processes } = image;
  const family = cloneOrderOf(image, host);
  const groups = groupSteps(processes, family);
  const helpers = [...family.steps, ...groups].filter((step) => step.kind === "helper");
  return [
    idsStep(processes, helpers),
    { kind: "stub", task: 0, what: "start a stub process", why: "tasks are cloned from it" },
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
        what: `end the helper ${id}`,
      }),
    ),
    ...stopSteps(processes),
    ...zombieSteps(processes),
  ];
}

/** Sessions that cannot be rebuilt, a sentence for each task. */
function unsupportedTree(image: Image, host: Host): readonly string[] {
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
    .map(({ ids }) => ({ kind: "stop", task: ids.pid, what: "stop as by SIGSTOP" }));
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
            why: "its parent had not waited for it",
          },
        ],
  );
}

type GroupStep = HelperStep | Extract<TreeStep, { kind: "group" }>;

/**
 * Puts tasks into their process groups, setpgid(2): leaders first, since others can only join what is there. A leader that
 * had ended has a helper; where it is outside the checkpoint with its session, the tasks stay in the group of crimg.
 */
function groupSteps(processes: readonly ImageProcess[], { steps, external }: CloneOrder): GroupStep[] {
  const [root] = processes;
  const there = new Set([
    ...processes.map(({ ids }) => ids.pid),
    ...steps.flatMap((step) => (step.kind === "helper" ? [step.id] : [])),
  ]);
  const made: GroupStep[] = [];
  const leadersFirst = [...processes].sort((a, b) => Number(isLeader(b)) - Number(isLeader(a)));
  for (const { ids } of leadersFirst) {
    const { pid, pgid, sid } = ids;
    const isExternal = sid === external && pgid === root?.ids.pgid && !there.has(pgid);
    if (pid === sid || pgid === 0 || isExternal) continue;
    if (!there.has(pgid)) {
      there.add(pgid);
      made.push({
        kind: "helper",
        task: pid,
        id: pgid,
        leads: "group",
        parent: pid,
        what: `make a helper with the id ${pgid} that leads the group ${pgid}`,
        why: "its leader had ended",
      });
    }
    const what = pgid === pid ? "lead its group" : `join the group ${pgid}`;
    made.push({ kind: "group", task: pid, group: pgid, what });
  }
  return made;
}

function isLeader({ ids }: ImageProcess): boolean {
  return ids.pid === ids.pgid;
}

/** Makes threads, and what the kernel keeps for each beside its registers. */
export type ThreadStep =
  | (StepBase & { readonly kind: "thread"; readonly thread: ImageThread })
  | (StepBase & { readonly kind: "set up thread"; readonly thread: ImageThread });

export function threadSteps(image: Image): ThreadStep[] {
  return liveProcesses(image).flatMap(({ process }) => {
    const task = process.ids.pid;
    return process.threads.flatMap((thread): ThreadStep[] => {
      const { tid, comm } = thread;
      const what = `set up thread ${tid}: name, signal stack, robust futexes, restartable sequences`;
      const setUp: ThreadStep = { kind: "set up thread", task, thread, what };
      return tid === task
        ? [setUp]
        : [{ kind: "thread", task, thread, what: `make thread ${tid} (${comm})` }, setUp];
    });
  });
}

/** Attributes of processes and threads that no other phase sets: oom_score_adj, nice, scheduler, personality … */
export type AttributeStep =
  | (StepBase & { readonly kind: "process attributes" })
  | (StepBase & { readonly kind: "thread attributes"; readonly thread: ImageThread });

/** Attributes that need privileges and restrict nothing: set before the credentials. */
export function attributeSteps(image: Image): AttributeStep[] {
  return liveProcesses(image).flatMap(({ process: { ids, threads } }): AttributeStep[] => [
    {
      kind: "process attributes",
      task: ids.pid,
      what: "set child subreaper, huge pages, membarrier and oom_score_adj",
    },
    ...threads.map(
      (thread): AttributeStep => ({
        kind: "thread attributes",
        task: ids.pid,
        thread,
        what: `set scheduling and personality of thread ${thread.tid}`,
      }),
    ),
  ]);
}

const MIN_ID = 1;

/** Tasks that cannot be made as they were. */
export function unsupportedTasks(image: Image, host: Host): string[] {
  const [root] = image.processes;
  if (root === undefined) return ["the checkpoint has no tasks"];
  return [
    ...(root.exitStatus === undefined ? [] : [`task ${root.ids.pid}, the root of the tree, had ended`]),
    ...strangers(image.processes, root),
    ...unsupportedIds(image, host),
    ...unsupportedTree(image, host),
    ...unsupportedSharing(image),
    ...unsupportedTables(image, host),
  ];
}

/** Tasks that do not descend from the root. */
function strangers(processes: readonly ImageProcess[], root: ImageProcess): string[] {
  const parents = new Map(processes.map(({ ids }) => [ids.pid, ids.ppid]));
  return processes.flatMap(({ ids: { pid, ppid } }) =>
    pid === root.ids.pid || (parents.has(ppid) && ppid !== pid)
      ? []
      : [`task ${pid} has the parent ${ppid}, which is not in the checkpoint`],
  );
}

function unsupportedIds({ processes }: Image, { pidMax }: Host): string[] {
  const seen = new Set<number>();
  return processes.flatMap(({ ids: { pid }, threads }) =>
    [...new Set([pid, ...threads.map(({ tid }) => tid)])].flatMap((id) => {
      const isTwice = seen.has(id);
      seen.add(id);
      if (id < MIN_ID) return [`invalid task id ${id} (expected 1 or more)`];
      if (isTwice) return [`duplicate task id ${id}`];
      return id >= pidMax
        ? [`task ${id}: ids end at ${pidMax - 1} on this host: raise /proc/sys/kernel/pid_max`]
        : [];
    }),
  );
}

/** What threads share and processes here do not: clone(2) without CLONE_THREAD. */
const SHARED = [
  ["mm_objref", "their memory"],
  ["fs_objref", "their working directory"],
  ["sighand_objref", "their signal actions"],
] as const;

function unsupportedSharing(image: Image): string[] {
  return SHARED.flatMap(([field, what]) => {
    const owners = new Map<number, number>();
    return liveProcesses(image).flatMap(({ process, objects }) => {
      const objref = objects[field] ?? 0;
      const other = owners.get(objref);
      if (objref === 0) return [];
      if (other === undefined) owners.set(objref, process.ids.pid);
      return other === undefined
        ? []
        : [`tasks ${other} and ${process.ids.pid} share ${what} without being threads`];
    });
  });
}

/** A table of descriptors is shared with the task that another is cloned from, or it cannot be. */
function unsupportedTables(image: Image, host: Host): string[] {
  const makers = new Map(
    cloneOrderOf(image, host).steps.flatMap((step) =>
      step.kind === "task" ? [[step.task, step.sharesTable] as const] : [],
    ),
  );
  const owners = new Map(
    tableOwners(image).map(({ process, objects }) => [objects.files_objref, process.ids.pid]),
  );
  return liveProcesses(image).flatMap(({ process: { ids }, objects }) => {
    const owner = owners.get(objects.files_objref);
    return owner === ids.pid || makers.get(ids.pid) !== false
      ? []
      : [`tasks ${owner} and ${ids.pid} share their table of descriptors, and neither made the other`];
  });
}
