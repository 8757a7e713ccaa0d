import { IMAGES } from "../../../formats/criu/images.js";
import type { SiginfoEntry } from "../../../formats/criu/tables/siginfo.js";
import type { ItimerEntry } from "../../../formats/criu/tables/timer.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { SIGACTION } from "../../../formats/linux-cr/tables/signals.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import { NSIG, SIGKILL, SIGSTOP } from "../../../linux/signals.js";
import { NSEC_PER_SEC, NSEC_PER_USEC } from "../../../linux/time.js";
import { writeStruct } from "../../../schema/struct-writer.js";
import { toCkptSiginfo } from "../siginfo.js";
import type { Context } from "./context.js";
import type { LiveThread } from "./source-task.js";
import { writeTerminalOfSession } from "./terminals.js";

/** CKPT_PID_NULL: no process. */
const NO_PID = -4096;

/** SIGHAND object of a process: what it does with each signal. */
export function writeActions(context: Context, { process: { pid }, task, label }: LiveThread): number {
  return context.ref("SIGHAND", pid, () => {
    const { set, writer, losses } = context;
    const stored =
      task.sigactions.length > 0
        ? task.sigactions
        : set.records(IMAGES.SIGACT, pid).map(({ value }) => value);
    const caught = Array.from({ length: NSIG }, (_, i) => i + 1).filter(
      (signal) => signal !== SIGKILL && signal !== SIGSTOP,
    );
    const actions = Buffer.alloc(NSIG * SIGACTION.size);
    for (const [i, action] of stored.slice(0, caught.length).entries()) {
      const one = writeStruct(
        SIGACTION,
        {
          _sa_handler: action.sigaction,
          sa_flags: action.flags,
          sa_restorer: action.restorer,
          sa_mask: sigset(action.mask),
        },
        "little-endian",
      );
      one.copy(actions, ((caught[i] as number) - 1) * SIGACTION.size);
    }
    if (stored.some(({ compat_sigaction }) => compat_sigaction === true))
      losses.add(label, "that 32-bit code set its signal actions", "a stream does not tell them apart");
    writer.record(RECORDS.SIGHAND, {}, actions);
  });
}

/** SIGNAL and the signals that wait for the whole process; to be called when the number of the SIGNAL is new. */
export function writeSignal(context: Context, thread: LiveThread): void {
  const { set, writer } = context;
  const { pid, sid } = thread.process;
  const tty_objref = pid === sid ? writeTerminalOfSession(context, sid) : 0;
  const [terminal] = context.files.terminalsOf(sid);
  writer.record(RECORDS.SIGNAL, {
    rlim: limitsOf(context, thread),
    ...timersOf(context, thread),
    tty_objref,
    tty_pgrp: tty_objref === 0 ? 0 : (context.tag(terminal?.pgrp ?? 0) ?? 0),
    tty_old_pgrp: NO_PID,
  });
  const queue = thread.task.signals_s?.signals ?? set.records(IMAGES.SIGNAL, pid).map(({ value }) => value);
  writePending(context, queue, `task ${pid}`);
}

/** SIGPENDING with what waits for this thread alone, and SIGNAL_TASK. */
export function writeThreadSignals(context: Context, thread: LiveThread): void {
  const { set, writer } = context;
  const { tc, task, tid, isLeader, label } = thread;
  const queue = tc.signals_p?.signals ?? set.records(IMAGES.PSIGNAL, tid).map(({ value }) => value);
  writePending(context, queue, label);
  const blocked = tc.blk_sigset ?? (isLeader ? task.blk_sigset : 0n);
  writer.record(RECORDS.SIGNAL_TASK, { blocked: sigset(blocked) });
}

function writePending({ writer, losses }: Context, queue: readonly SiginfoEntry[], label: string): void {
  let set = 0n;
  const infos = queue.map(({ siginfo }) => {
    const { bytes, isWhole } = toCkptSiginfo(Buffer.from(siginfo));
    const signal = bytes.readUInt32LE(0);
    if (signal >= 1 && signal <= NSIG) set |= 1n << BigInt(signal - 1);
    if (!isWhole)
      losses.add(
        label,
        `a part of what came with the waiting signal ${signal}`,
        "ckpt_siginfo has no field for it",
      );
    return bytes;
  });
  writer.record(RECORDS.SIGPENDING, { signal: sigset(set) }, Buffer.concat(infos));
}

/** A signal set as it lies in memory: signal 1 is bit 0 of byte 0. */
function sigset(mask: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, mask));
  return bytes;
}

function limitsOf({ set }: Context, { task, process: { pid } }: LiveThread): object[] {
  const stored = task.rlimits?.rlimits ?? set.records(IMAGES.RLIMIT, pid).map(({ value }) => value);
  const unlimited = (1n << 64n) - 1n;
  return Array.from({ length: RLIM_NLIMITS }, (_, i) => ({
    rlim_cur: stored[i]?.cur ?? unlimited,
    rlim_max: stored[i]?.max ?? unlimited,
  }));
}

function timersOf({ set }: Context, { task, process: { pid } }: LiveThread): Record<string, bigint> {
  const [real, virt, prof] =
    task.timers === undefined
      ? set.records(IMAGES.ITIMERS, pid).map(({ value }) => value)
      : [task.timers.real, task.timers.virt, task.timers.prof];
  return { ...timerOf("real", real), ...timerOf("virt", virt), ...timerOf("prof", prof) };
}

function timerOf(name: string, timer: ItimerEntry | undefined): Record<string, bigint> {
  const { vsec = 0n, vusec = 0n, isec = 0n, iusec = 0n } = timer ?? {};
  return {
    [`it_${name}_value`]: vsec * NSEC_PER_SEC + vusec * NSEC_PER_USEC,
    [`it_${name}_incr`]: isec * NSEC_PER_SEC + iusec * NSEC_PER_USEC,
  };
}
