import { BackendError, isCrimgError } from "../../../io/errors.js";
import { ESRCH } from "../../../linux/errno.js";
import { PR_SET_DUMPABLE } from "../../../linux/prctl.js";
import { __WALL, CLONE_FILES, CLONE_PARENT } from "../../../linux/sched.js";
import { SIGCHLD } from "../../../linux/signals.js";
import { readProc } from "../proc/read.js";
import { waitFor } from "../ptrace/wait.js";
import type { Appliers, RestoreContext } from "../restore/context.js";
import { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { setName } from "./apply-thread.js";
import type { TreeStep } from "./clone-order.js";
import { clone, endTask, startStub } from "./stub-process.js";

const ALL_BLOCKED = Buffer.alloc(8, 0xff);

export const TREE: Appliers<TreeStep> = {
  ids: (_context, { ids }) => awaitFreeIds(ids),
  stub(context) {
    context.stub = startStub();
    context.stub.tracee.log = context.options.log;
    context.stub.tracee.setSignalMask(ALL_BLOCKED);
  },
  task(context, { process, from, asSibling, sharesTable, exitSignal }) {
    const { pid } = process.ids;
    const remote = makerOf(context, from);
    const flags = (asSibling ? CLONE_PARENT : 0) | (sharesTable ? CLONE_FILES : 0);
    context.add(
      process,
      remote.for(clone(remote, pid, flags, exitSignal)),
      sharesTable ? context.task(from) : undefined,
    );
    if (from === 0 || process === context.image.processes[0]) endFirst(context);
  },
  session: (context, { task }) => void context.task(task).remote.call("begin its session", SYS.setsid),
  helper(context, { id, leads, parent }) {
    const maker = makerOf(context, parent);
    // What is made from it as its sibling has the same signal for the parent.
    const own = maker.for(clone(maker, id, parent === 0 ? CLONE_PARENT : 0, parent === 0 ? 0 : SIGCHLD));
    context.helpers.set(id, own);
    if (leads === "session") own.call("begin its session", SYS.setsid);
    else own.call("lead its group", SYS.setpgid, 0, 0);
  },
  group(context, { task, group }) {
    const doing = group === task ? "lead its group" : `join the group ${group}`;
    context.task(task).remote.call(doing, SYS.setpgid, 0, group === task ? 0 : group);
  },
  "end helper"(context, { id, parent }) {
    const own = context.helpers.get(id);
    if (own === undefined) return;
    own.tracee.end(own.site, SYS.exit_group, 0);
    context.helpers.delete(id);
    if (parent !== 0)
      context.task(parent).remote.call("wait for the end of a helper", SYS.wait4, id, 0, __WALL, 0);
  },
  stop: (context, { task }) => context.task(task).remote.tracee.enterGroupStop(),
  zombie(context, { task, status }) {
    const { remote, process } = context.task(task);
    setName(remote, process.comm);
    // Its memory is not that of the program that was killed: no dump of it shall appear.
    remote.call("clear its dumpable flag", SYS.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    const signal = status & 0x7f;
    if (signal === 0) remote.tracee.end(remote.site, SYS.exit_group, (status >> 8) & 0xff);
    else remote.tracee.endBy(signal);
  },
};

/** Where the task that another is cloned from works: of the image, a helper, or the stub process (0). */
function makerOf(context: RestoreContext, from: number): RemoteTask {
  if (from === 0) return stubRemote(context);
  return context.helpers.get(from) ?? context.task(from).remote;
}

/** The stub process loses all its own memory; what is cloned from it has the work area alone. */
function stubRemote(context: RestoreContext): RemoteTask {
  const { stub } = context;
  if (stub === undefined) throw new Error("the stub process has ended");
  context.stubRemote ??= RemoteTask.establish(stub.tracee, stub.site, context.workAddress);
  return context.stubRemote;
}

/** The root is there: the stub process is needed no more. */
function endFirst(context: RestoreContext): void {
  if (context.stub !== undefined) endTask(context.stub.tracee);
  context.stub = undefined;
}

/** A task that has ended keeps its id until its parent takes note, which may take a moment. */
const SETTLE_SECONDS = 5;

/** Waits until the ids of all tasks are free. Errors: BackendError naming the task that has one, and its parent. */
function awaitFreeIds(ids: readonly number[]): void {
  for (const id of ids)
    try {
      waitFor(`the id ${id} is in use`, SETTLE_SECONDS, () => (isFree(id) ? true : undefined));
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      throw new BackendError(`the id ${id} is in use on this host by ${whoHas(id)}`);
    }
}

function isFree(id: number): boolean {
  return attempt(SYS.kill, id, 0) === -ESRCH;
}

function whoHas(id: number): string {
  const text = readProc(id, "stat");
  const [, name, state, parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(text) ?? [];
  return state === "Z"
    ? `a zombie (${name}) that its parent ${parent} has not reaped`
    : `task ${id} (${name}): end it first`;
}
