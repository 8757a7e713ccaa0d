import { SYS } from "../../sys/abi-x64.js";
import { CLONE_PARENT, clone } from "../clone.js";
import type { Construction } from "../construction.js";
import { awaitFreeIds } from "../free-ids.js";
import { endHusk, startHusk } from "../husk.js";
import type { TreeStep } from "../plan/tree.js";
import { Workbench } from "../work-area.js";
import type { Builders } from "./builders.js";

const ALL_BLOCKED = Buffer.alloc(8, 0xff);

export const TREE: Builders<TreeStep> = {
  ids: (_work, { ids }) => awaitFreeIds(ids),
  husk(work) {
    work.husk = startHusk();
    work.husk.tracee.setSignalMask(ALL_BLOCKED);
  },
  task(work, { process, parent, exitSignal }) {
    const { pid } = process.ids;
    if (parent !== 0) {
      const { bench } = work.site(parent);
      work.add(process, bench.for(clone(bench, pid, 0, exitSignal)));
      return;
    }
    const bench = rootBench(work);
    const tracee = clone(bench, pid, CLONE_PARENT, 0);
    work.add(process, bench.for(tracee));
    endHusk(bench.tracee);
    work.husk = undefined;
  },
  session: (work, { task }) => void work.site(task).bench.call("begin its session", SYS.setsid),
  group(work, { task, group }) {
    const doing = group === task ? "lead its group" : `join the group ${group}`;
    work.site(task).bench.call(doing, SYS.setpgid, 0, group === task ? 0 : group);
  },
  zombie(work, { task, status }) {
    const { bench } = work.site(task);
    const signal = status & 0x7f;
    if (signal === 0) bench.tracee.end(bench.site, SYS.exit_group, (status >> 8) & 0xff);
    else bench.tracee.endBy(signal);
  },
};

/** The husk loses all its own memory; what is cloned from it has the work area alone. */
function rootBench(work: Construction): Workbench {
  const { husk } = work;
  if (husk === undefined) throw new Error("the root is made before the husk");
  return Workbench.establish(husk.tracee, husk.site, work.hole);
}
