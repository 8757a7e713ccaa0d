import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { ProcessState } from "../process.js";
import type { ThreadState } from "../thread.js";
import type { CheckpointContext } from "./context.js";

/** TASK_EXTRA.flags: what is stored. */
const STORED = { oomScoreAdjust: 1, loginUid: 2, scheduling: 4 };

/** Our records of a live task: TASK_EXTRA, RSEQ, XSTATE and, for a leader, the timers of its process. */
export function writeTaskExtra(
  { writer, filters }: CheckpointContext,
  process: ProcessState,
  thread: ThreadState,
  isLeader: boolean,
): void {
  const { status, scheduling, rseq, xsave } = thread;
  writer.record(RECORDS.TASK_EXTRA, {
    oom_score_adj: process.oomScoreAdjust,
    loginuid: process.loginUid,
    sched_policy: scheduling.policy,
    sched_nice: scheduling.nice,
    sched_priority: scheduling.priority,
    no_new_privs: Number(status.noNewPrivs),
    cap_ambient: status.ambient,
    child_subreaper: Number(process.isSubreaper),
    stop_signo: process.frozen.stopSignal,
    seccomp_mode: status.seccomp,
    seccomp_filter: filters.get(thread.tid) ?? 0,
    personality: thread.personality,
    thp_disabled: Number(process.thpDisabled),
    membarrier_mask: process.membarriers,
    flags: STORED.oomScoreAdjust | STORED.loginUid | STORED.scheduling,
  });
  if (rseq !== undefined)
    writer.record(RECORDS.RSEQ, {
      abi_pointer: rseq.pointer,
      abi_size: rseq.size,
      signature: rseq.signature,
      cs_pointer: rseq.cs,
    });
  writer.record(
    RECORDS.XSTATE,
    { xstate_bv: xsave.xstateBv, nr_components: xsave.components.length },
    Buffer.concat(
      xsave.components.flatMap(({ component, bytes }) => {
        const head = Buffer.alloc(8);
        head.writeUInt32LE(component, 0);
        head.writeUInt32LE(bytes.length, 4);
        return [head, bytes];
      }),
    ),
  );
  if (!isLeader) return;
  for (const timer of process.timers)
    writer.record(RECORDS.POSIX_TIMER, {
      timer_id: timer.id,
      clock_id: timer.clock,
      sigev_notify: timer.notify,
      signo: timer.signal,
      overrun: timer.overrun,
      notify_tid: timer.target,
      sigval: timer.value,
      value_ns: timer.left,
      interval_ns: timer.interval,
    });
}
