import { BackendError } from "../../../io/errors.js";
import { SYS } from "../sys/abi-x64.js";
import { CLONE_PARENT, clone } from "./clone.js";
import { endHusk, type Husk } from "./husk.js";
import type { ImageProcess } from "./image-task.js";
import type { Workbench } from "./work-area.js";

/** A process of the image with the task that is to become it. */
export interface Built {
  readonly process: ImageProcess;
  readonly bench: Workbench;
}

/**
 * Makes the processes of the image with their ids, parents and sessions, all stopped; the root becomes a child of crimg.
 * `made` is told each as soon as it is there. Errors: BackendError for an id in use or a session that cannot be rebuilt.
 */
export function buildTree(
  husk: Husk,
  bench: Workbench,
  processes: readonly ImageProcess[],
  made: (built: Built) => void,
): void {
  const [root] = processes;
  if (root === undefined) throw new BackendError("the checkpoint has no tasks");
  const tracee = clone(bench, root.ids.pid, CLONE_PARENT, 0);
  endHusk(husk.tracee);
  const grow = (process: ImageProcess, own: Workbench): void => {
    made({ process, bench: own });
    const { pid, sid } = process.ids;
    const children = processes.filter(({ ids }) => ids.ppid === pid && ids.pid !== pid);
    // A child of another session than its parent's was made before the parent began its own.
    const isOlder = (child: ImageProcess): boolean =>
      sid === pid && child.ids.sid !== sid && child.ids.sid !== child.ids.pid;
    const make = (child: ImageProcess): void => {
      const made = clone(
        own,
        child.ids.pid,
        0,
        child.exitSignal === 0 && child.exitStatus === undefined ? 0 : SIGCHLD,
      );
      grow(child, own.for(made));
    };
    for (const child of children.filter(isOlder)) make(child);
    if (sid === pid) own.call("begin its session", SYS.setsid);
    for (const child of children.filter((each) => !isOlder(each))) make(child);
  };
  grow(root, bench.for(tracee));
}

const SIGCHLD = 17;

/** Puts the processes into their groups, leaders first. `inherited`: the group and session of the root are crimg's own. */
export function joinGroups(built: readonly Built[]): void {
  const known = new Set(built.map(({ process }) => process.ids.pid));
  const leadersFirst = [...built].sort((a, b) => Number(isLeader(b)) - Number(isLeader(a)));
  for (const { process, bench } of leadersFirst) {
    const { pid, pgid, sid } = process.ids;
    if (pid === sid || pgid === 0) continue;
    // A group whose leader has ended, or is outside, cannot be joined; the task stays with its parent's.
    if (pgid === pid) bench.call("lead its group", SYS.setpgid, 0, 0);
    else if (known.has(pgid)) bench.call("join its group", SYS.setpgid, 0, pgid);
  }
}

function isLeader({ process }: Built): boolean {
  return process.ids.pid === process.ids.pgid;
}
