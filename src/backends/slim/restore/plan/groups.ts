import type { ImageProcess } from "../image-task.js";
import type { CloneOrder } from "./family.js";
import type { HelperStep, TreeStep } from "./tree-step.js";

type GroupStep = HelperStep | Extract<TreeStep, { kind: "group" }>;

/**
 * Puts tasks into their process groups, setpgid(2): leaders first, since others can only join what is there. A leader that
 * had ended has a stand-in; where it is outside the checkpoint with its session, the tasks stay in the group of crimg.
 */
export function groupSteps(processes: readonly ImageProcess[], { steps, external }: CloneOrder): GroupStep[] {
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
        what: `make a stand-in with the id ${pgid} that leads the group ${pgid}`,
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
