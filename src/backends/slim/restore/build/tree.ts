import { PR_SET_DUMPABLE } from "../../../../linux/prctl.js";
import { __WALL, CLONE_FILES, CLONE_PARENT } from "../../../../linux/sched.js";
import { SIGCHLD } from "../../../../linux/signals.js";
import { SYS } from "../../sys/abi-x64.js";
import { clone } from "../clone.js";
import type { Construction } from "../construction.js";
import { awaitFreeIds } from "../free-ids.js";
import { endHusk, startHusk } from "../husk.js";
import type { TreeStep } from "../plan/tree-step.js";
import { setName } from "../thread.js";
import { Workbench } from "../work-area.js";
import type { Builders } from "./builders.js";

const ALL_BLOCKED = Buffer.alloc(8, 0xff);

export const TREE: Builders<TreeStep> = {
  ids: (_work, { ids }) => awaitFreeIds(ids),
  husk(work) {
    work.husk = startHusk();
    work.husk.tracee.log = work.options.log;
    work.husk.tracee.setSignalMask(ALL_BLOCKED);
  },
  task(work, { process, from, asSibling, sharesTable, exitSignal }) {
    const { pid } = process.ids;
    const bench = makerBench(work, from);
    const flags = (asSibling ? CLONE_PARENT : 0) | (sharesTable ? CLONE_FILES : 0);
    work.add(
      process,
      bench.for(clone(bench, pid, flags, exitSignal)),
      sharesTable ? work.site(from) : undefined,
    );
    if (from === 0 || process === work.image.processes[0]) endFirst(work);
  },
  session: (work, { task }) => void work.site(task).bench.call("begin its session", SYS.setsid),
  "stand-in"(work, { id, leads, parent }) {
    const maker = makerBench(work, parent);
    // What is made from it as its sibling has the same signal for the parent.
    const own = maker.for(clone(maker, id, parent === 0 ? CLONE_PARENT : 0, parent === 0 ? 0 : SIGCHLD));
    work.standIns.set(id, own);
    if (leads === "session") own.call("begin the session that it stands for", SYS.setsid);
    else own.call("lead the group that it stands for", SYS.setpgid, 0, 0);
  },
  group(work, { task, group }) {
    const doing = group === task ? "lead its group" : `join the group ${group}`;
    work.site(task).bench.call(doing, SYS.setpgid, 0, group === task ? 0 : group);
  },
  "end stand-in"(work, { id, parent }) {
    const own = work.standIns.get(id);
    if (own === undefined) return;
    own.tracee.end(own.site, SYS.exit_group, 0);
    work.standIns.delete(id);
    if (parent !== 0)
      work.site(parent).bench.call("take note of the end of a stand-in", SYS.wait4, id, 0, __WALL, 0);
  },
  stop: (work, { task }) => work.site(task).bench.tracee.enterGroupStop(),
  zombie(work, { task, status }) {
    const { bench, process } = work.site(task);
    setName(bench, process.comm);
    // Its memory is not that of the program that was killed: no dump of it shall appear.
    bench.call("leave no core", SYS.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    const signal = status & 0x7f;
    if (signal === 0) bench.tracee.end(bench.site, SYS.exit_group, (status >> 8) & 0xff);
    else bench.tracee.endBy(signal);
  },
};

/** Where the task that another is cloned from works: of the image, a stand-in, or the husk (0). */
function makerBench(work: Construction, from: number): Workbench {
  if (from === 0) return huskBench(work);
  return work.standIns.get(from) ?? work.site(from).bench;
}

/** The husk loses all its own memory; what is cloned from it has the work area alone. */
function huskBench(work: Construction): Workbench {
  const { husk } = work;
  if (husk === undefined) throw new Error("the husk has ended");
  work.huskBench ??= Workbench.establish(husk.tracee, husk.site, work.hole);
  return work.huskBench;
}

/** The root is there: the husk is needed no more. */
function endFirst(work: Construction): void {
  if (work.husk !== undefined) endHusk(work.husk.tracee);
  work.husk = undefined;
}
