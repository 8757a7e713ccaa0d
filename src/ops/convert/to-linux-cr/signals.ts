import { IMAGES } from "../../../formats/criu/images.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import { decodeLimits } from "../../../model/criu/attributes.js";
import { decodeActions, decodeTaskQueue, decodeThreadQueue } from "../../../model/criu/signals.js";
import { encodeLimits } from "../../../model/linux-cr/attributes.js";
import { encodeActions, encodeQueue, encodeSignalSet } from "../../../model/linux-cr/signals.js";
import { CATCHABLE, type PendingSignal } from "../../../model/signals.js";
import type { Context } from "./context.js";
import type { LiveThread } from "./source-task.js";
import { writeTerminalOfSession } from "./terminals.js";
import { intervalTimers } from "./timers.js";

/** CKPT_PID_NULL: no process. */
const NO_PID = -4096;

/** SIGHAND object of a process: what it does with each signal. */
export function writeActions(context: Context, { process: { pid }, task, label }: LiveThread): number {
  return context.ref("SIGHAND", pid, () => {
    const { set, writer, losses } = context;
    const actions = decodeActions(set, pid, task);
    const isCompat = (stored: readonly { readonly compat_sigaction?: boolean }[]): boolean =>
      stored.some(({ compat_sigaction }) => compat_sigaction === true);
    if (isCompat(task.sigactions) || isCompat(set.records(IMAGES.SIGACT, pid).map(({ value }) => value)))
      losses.add(label, "that 32-bit code set its signal actions", "a stream does not tell them apart");
    writer.record(RECORDS.SIGHAND, {}, encodeActions(actions.slice(0, CATCHABLE.length)));
  });
}

/** SIGNAL and the signals that wait for the whole process; to be called when the number of the SIGNAL is new. */
export function writeSignal(context: Context, thread: LiveThread): void {
  const { set, writer, losses } = context;
  const { task, label } = thread;
  const { pid, sid } = thread.process;
  const limits = decodeLimits(set, pid, task);
  if (limits.length !== RLIM_NLIMITS)
    losses.add(
      label,
      `that it has ${limits.length} resource limits`,
      `a stream holds ${RLIM_NLIMITS}; what is not there is unlimited`,
    );
  const tty_objref = pid === sid ? writeTerminalOfSession(context, sid) : 0;
  const [terminal] = context.files.terminalsOf(sid);
  writer.record(RECORDS.SIGNAL, {
    rlim: encodeLimits(limits),
    ...intervalTimers(context, thread),
    tty_objref,
    tty_pgrp: tty_objref === 0 ? 0 : (context.tag(terminal?.foreground ?? 0) ?? 0),
    tty_old_pgrp: NO_PID,
  });
  writePending(context, decodeTaskQueue(set, pid, task), `task ${pid}`);
}

/** SIGPENDING with what waits for this thread alone, and SIGNAL_TASK. */
export function writeThreadSignals(context: Context, { tc, task, tid, isLeader, label }: LiveThread): void {
  writePending(context, decodeThreadQueue(context.set, tid, { thread_core: tc }), label);
  const blocked = tc.blk_sigset ?? (isLeader ? task.blk_sigset : 0n);
  context.writer.record(RECORDS.SIGNAL_TASK, { blocked: encodeSignalSet(blocked) });
}

function writePending({ writer, losses }: Context, queue: readonly PendingSignal[], label: string): void {
  const { fields, payload, cut } = encodeQueue(queue);
  for (const signal of cut)
    losses.add(
      label,
      `a part of what came with the waiting signal ${signal}`,
      "ckpt_siginfo has no field for it",
    );
  writer.record(RECORDS.SIGPENDING, fields, payload);
}
