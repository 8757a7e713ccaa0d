import { IMAGES } from "../../../formats/criu/images.js";
import { MM_ENTRY } from "../../../formats/criu/tables/mm.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import { capabilityMask } from "../../../model/criu/threads.js";
import { part } from "../../../schema/message.js";
import type { Context } from "./context.js";
import { credsOf } from "./creds.js";
import { writeXstate } from "./registers.js";
import type { LiveThread } from "./source-task.js";

const HAS_OOM_SCORE = 1;
const HAS_LOGINUID = 2;
const HAS_SCHEDULING = 4;
const HAS_CONTROL_GROUPS = 8;

/** The one field of an mm image that is asked for; its mappings may be many. */
const HUGE_PAGES = part(MM_ENTRY, { thp_disabled: MM_ENTRY.fields.thp_disabled });

/** The extension records of a thread: what kernels of 2011 did not have. */
export function writeExtras(context: Context, thread: LiveThread): void {
  writeTaskExtra(context, thread);
  writeXstate(context, thread);
  const { writer } = context;
  const { rseq_entry: rseq } = thread.tc;
  if (rseq !== undefined)
    writer.record(RECORDS.RSEQ, {
      abi_pointer: rseq.rseq_abi_pointer,
      abi_size: rseq.rseq_abi_size,
      signature: rseq.signature,
      cs_pointer: rseq.rseq_cs_pointer ?? 0n,
    });
  if (thread.isLeader) writePosixTimers(context, thread);
}

function writeTaskExtra(context: Context, thread: LiveThread): void {
  const { set, writer } = context;
  const { tc, task, isLeader, process } = thread;
  const creds = credsOf(context, thread);
  const group = tc.cg_set ?? task.cg_set;
  const isOfCriu = group === undefined || group === set.first(IMAGES.INVENTORY)?.root_cg_set;
  const filter = tc.seccomp_filter ?? task.old_seccomp_filter;
  const mode = tc.seccomp_mode ?? task.old_seccomp_mode ?? 0;
  writer.record(RECORDS.TASK_EXTRA, {
    oom_score_adj: task.oom_score_adj ?? 0,
    loginuid: task.loginuid ?? 0,
    sched_policy: tc.sched_policy ?? 0,
    sched_nice: tc.sched_nice ?? 0,
    sched_priority: tc.sched_prio ?? 0,
    no_new_privs: creds.no_new_privs ?? 0,
    cap_ambient: capabilityMask(creds.cap_amb),
    child_subreaper: task.child_subreaper === true ? 1 : 0,
    stop_signo: task.stop_signo ?? 0,
    seccomp_mode: mode,
    seccomp_filter: mode === 2 && filter !== undefined ? filter + 1 : 0,
    personality: BigInt(task.personality),
    cgroup_set: isOfCriu ? 0 : group,
    thp_disabled:
      isLeader && set.firstPart(IMAGES.MM, process.pid, HUGE_PAGES)?.thp_disabled === true ? 1 : 0,
    membarrier_mask: task.membarrier_registration_mask ?? 0,
    flags:
      (task.oom_score_adj === undefined ? 0 : HAS_OOM_SCORE) |
      (task.loginuid === undefined ? 0 : HAS_LOGINUID) |
      (tc.sched_policy === undefined ? 0 : HAS_SCHEDULING) |
      (isOfCriu ? 0 : HAS_CONTROL_GROUPS),
  });
}

function writePosixTimers({ set, writer }: Context, { task, process: { pid } }: LiveThread): void {
  const timers = task.timers?.posix ?? set.records(IMAGES.POSIX_TIMERS, pid).map(({ value }) => value);
  for (const timer of timers)
    writer.record(RECORDS.POSIX_TIMER, {
      timer_id: timer.it_id,
      clock_id: timer.clock_id | 0,
      sigev_notify: timer.it_sigev_notify,
      signo: timer.si_signo,
      overrun: timer.overrun,
      notify_tid: timer.notify_thread_id ?? 0,
      sigval: timer.sival_ptr,
      value_ns: timer.vsec * NSEC_PER_SEC + timer.vnsec,
      interval_ns: timer.isec * NSEC_PER_SEC + timer.insec,
    });
}
