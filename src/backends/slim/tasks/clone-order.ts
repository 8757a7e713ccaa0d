import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { SIGCHLD } from "../../../linux/signals.js";
import type { Host } from "../restore/host.js";
import { type Image, liveProcesses } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import type { ImageProcess } from "./image.js";

/** Makes processes with their ids, parents, sessions and groups. */
export type TreeStep =
  | (StepBase & { readonly kind: "ids"; readonly ids: readonly number[] })
  | (StepBase & { readonly kind: "stub" })
  | TaskStep
  | (StepBase & { readonly kind: "session" })
  | HelperStep
  | (StepBase & { readonly kind: "group"; readonly group: number })
  | (StepBase & { readonly kind: "end helper"; readonly id: number; readonly parent: number })
  | (StepBase & { readonly kind: "stop" })
  | (StepBase & { readonly kind: "zombie"; readonly status: number });

/** A task is cloned from another one: its parent, or a child of its parent that is in its session (`asSibling`). */
type TaskStep = StepBase & {
  readonly kind: "task";
  readonly process: ImageProcess;
  /** 0 for the stub process: what is made from it becomes a child of crimg. */
  readonly from: number;
  readonly asSibling: boolean;
  /** It has the table of descriptors of the task that it is cloned from: CLONE_FILES. */
  readonly sharesTable: boolean;
  /** Signal that the parent gets when it ends. */
  readonly exitSignal: number;
};

/** Takes the place of the leader of a session or group that had ended, until all that belong to it are there. */
export type HelperStep = StepBase & {
  readonly kind: "helper";
  readonly id: number;
  readonly leads: "session" | "group";
  /** Task that it is a child of, 0 for crimg. */
  readonly parent: number;
};

/** Which task clones which: a task is born into the session of the task that it is cloned from, and leaves it only by setsid(2). */
export interface CloneOrder {
  readonly steps: readonly (TaskStep | HelperStep | Extract<TreeStep, { kind: "session" }>)[];
  /** The session of crimg itself stands for this one, whose leader is outside; undefined when the root has its own. */
  readonly external: number | undefined;
  /** Sessions that no way of cloning leads to. */
  readonly unsupported: readonly string[];
}

/** The tasks of an image in the order in which they can be made. */
export function cloneOrderOf(image: Image, host: Host): CloneOrder {
  return new CloneOrderBuilder(image, host).result();
}

class CloneOrderBuilder {
  readonly #steps: (TaskStep | HelperStep | Extract<TreeStep, { kind: "session" }>)[] = [];
  readonly #unsupported: string[] = [];
  readonly #children = new Map<number, ImageProcess[]>();
  readonly #known: ReadonlySet<number>;
  /** The descriptor tables of the living, by their numbers. */
  readonly #tables: ReadonlyMap<number, number>;
  /** Sessions whose leader has a helper. */
  readonly #helped = new Set<number>();

  constructor(
    readonly image: Image,
    readonly host: Host,
  ) {
    const { processes } = image;
    this.#tables = new Map(
      liveProcesses(image).map(({ process, objects }) => [process.ids.pid, objects.files_objref]),
    );
    this.#known = new Set(processes.map(({ ids }) => ids.pid));
    for (const process of processes.slice(1)) {
      const siblings = this.#children.get(process.ids.ppid);
      if (siblings === undefined) this.#children.set(process.ids.ppid, [process]);
      else siblings.push(process);
    }
  }

  result(): CloneOrder {
    const [root] = this.image.processes;
    if (root === undefined) return { steps: [], external: undefined, unsupported: [] };
    const { pid, sid } = root.ids;
    const isExternal = sid !== pid && !this.#canHaveHelper(sid);
    if (sid !== pid && !isExternal) this.#addHelper(sid, 0);
    const why = isExternal
      ? `the leader of its session ${sid} is outside the checkpoint: it joins the session of crimg`
      : undefined;
    this.#make(root, { from: sid === pid || isExternal ? 0 : sid, asSibling: true, why });
    return { steps: this.#steps, external: isExternal ? sid : undefined, unsupported: this.#unsupported };
  }

  #tableOf(pid: number): number {
    return this.#tables.get(pid) ?? 0;
  }

  /** Whether the leader of the root's session is gone for good: nothing has its id, and nothing needs its terminal. */
  #canHaveHelper(sid: number): boolean {
    const hasTerminal = liveProcesses(this.image).some(({ process, objects }) =>
      process.ids.sid !== sid
        ? false
        : this.image
            .table(objects.files_objref)
            .some(({ objref }) => this.image.files.get(objref)?.record.f_type === FILE_TYPE.terminal),
    );
    return sid > 0 && !this.#known.has(sid) && !hasTerminal && !this.host.isTaken(sid);
  }

  #addHelper(sid: number, parent: number): void {
    this.#helped.add(sid);
    this.#steps.push({
      kind: "helper",
      task: parent,
      id: sid,
      leads: "session",
      parent,
      what: `make a helper with the id ${sid} that begins the session ${sid}`,
      why: "its leader had ended",
    });
  }

  /** The task, then its descendants: a child of another session was made before its parent began one, if it can have been. */
  #make(
    process: ImageProcess,
    how: Pick<TaskStep, "from" | "asSibling" | "why">,
    born = process.ids.sid,
  ): void {
    const { pid, sid } = process.ids;
    this.#steps.push(
      taskStep(process, how, this.#tableOf(pid) !== 0 && this.#tableOf(pid) === this.#tableOf(how.from)),
    );
    const children = this.#children.get(pid) ?? [];
    const begins = sid === pid;
    const isOwn = ({ ids }: ImageProcess): boolean => ids.sid === ids.pid || ids.sid === sid;
    const isOlder = (child: ImageProcess): boolean => begins && !isOwn(child) && child.ids.sid === born;
    for (const child of children) if (isOlder(child)) this.#child(child, pid, born);
    if (begins) this.#steps.push({ kind: "session", task: pid, what: "begin its session" });
    for (const child of children) if (isOwn(child)) this.#child(child, pid, sid);
    for (const child of children) if (!isOwn(child) && !isOlder(child)) this.#adopted(child, pid, children);
  }

  #child(child: ImageProcess, from: number, session: number): void {
    this.#make(child, { from, asSibling: false }, session);
  }

  /** A child whose parent was never in its session: the task that made it has ended. */
  #adopted(child: ImageProcess, parent: number, siblings: readonly ImageProcess[]): void {
    const { pid, sid } = child.ids;
    const why = `the task of the session ${sid} that made it had ended`;
    const sibling = siblings.find(
      (each) => each !== child && each.exitStatus === undefined && each.ids.pid === sid,
    );
    if (sibling !== undefined) {
      this.#make(child, { from: sibling.ids.pid, asSibling: true, why }, sid);
      return;
    }
    const last =
      this.#helped.has(sid) &&
      this.#steps.some((step) => step.kind === "helper" && step.id === sid && step.parent === parent);
    if (last || (!this.#helped.has(sid) && !this.#known.has(sid) && sid > 0)) {
      if (!last) this.#addHelper(sid, parent);
      this.#make(child, { from: sid, asSibling: true, why }, sid);
      return;
    }
    this.#unsupported.push(
      `task ${pid} is in the session ${sid}, which neither its parent ${parent} nor a sibling can have put it into`,
    );
    this.#make(child, { from: parent, asSibling: false }, sid);
  }
}

function taskStep(
  process: ImageProcess,
  { from, asSibling, why }: Pick<TaskStep, "from" | "asSibling" | "why">,
  sharesTable: boolean,
): TaskStep {
  const { ids, comm, exitSignal, exitStatus } = process;
  const isSilent = asSibling || (exitSignal === 0 && exitStatus === undefined);
  const parent = from === 0 || ids.ppid === 0 ? "crimg" : `task ${ids.ppid}`;
  return {
    kind: "task",
    task: ids.pid,
    process,
    from,
    asSibling,
    sharesTable,
    exitSignal: isSilent ? 0 : exitStatus === undefined ? exitSignal : SIGCHLD,
    what: `make task ${ids.pid} (${comm}), a child of ${parent}`,
    why,
  };
}
