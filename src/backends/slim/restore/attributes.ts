import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { PR_SET_CHILD_SUBREAPER, PR_SET_THP_DISABLE } from "../../../linux/prctl.js";
import { readProc } from "../proc/read.js";
import { readStat } from "../proc/stat.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import type { ImageProcess, ImageThread } from "./image-task.js";
import type { RemoteTask } from "./work-area.js";

/** TASK_EXTRA.flags. */
const OOM_STORED = 1;
const SCHEDULING_STORED = 4;
/** struct sched_attr, sched_setattr(2). */
const SCHED_ATTR_BYTES = 48;
/** Bits of MEMBARRIER_CMD_GET_REGISTRATIONS: the commands themselves, linux/membarrier.h. */
const BARRIER_COMMANDS = 32;

/** What belongs to a whole process, by TASK_EXTRA of its leader. Errors: BackendError naming what is not allowed. */
export function setProcessAttributes(remote: RemoteTask, { ids, threads: [leader] }: ImageProcess): void {
  const extra = leader?.extra;
  if (extra === undefined) return;
  if (extra.child_subreaper !== 0) remote.call("reap orphans", SYS.prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (extra.thp_disabled !== 0)
    remote.call("do without huge pages", SYS.prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
  for (let bit = 0; bit < BARRIER_COMMANDS; bit++)
    if ((extra.membarrier_mask & (1 << bit)) !== 0)
      remote.call("register for barriers", SYS.membarrier, 1 << bit, 0, 0);
  if ((extra.flags & OOM_STORED) !== 0) setOomScoreAdjust(ids.pid, extra.oom_score_adj);
}

/** Lower than crimg's own needs CAP_SYS_RESOURCE: proc_pid_oom_score_adj(5). */
function setOomScoreAdjust(pid: number, wanted: number): void {
  const name = "oom_score_adj";
  if (Number(readProc(pid, name)) === wanted) return;
  try {
    fs.writeFileSync(`/proc/${pid}/${name}`, String(wanted));
  } catch (cause) {
    throw new BackendError(
      `task ${pid} had the oom_score_adj ${wanted}, which crimg may not give it: that needs CAP_SYS_RESOURCE`,
      { cause },
    );
  }
}

/** Scheduling and personality of a thread: those that are as they were already need no privilege. */
export function setThreadAttributes(remote: RemoteTask, { tid, extra }: ImageThread): void {
  if (extra === undefined) return;
  const { pid } = remote.tracee;
  if ((extra.flags & SCHEDULING_STORED) !== 0) {
    const { sched_policy: policy, sched_nice: nice, sched_priority: priority } = extra;
    const now = readStat(`${pid}/task/${tid}`);
    const isSame = now.schedulingPolicy === policy && now.nice === nice && now.realtimePriority === priority;
    if (!isSame) {
      const attributes = Buffer.alloc(SCHED_ATTR_BYTES);
      attributes.writeUInt32LE(SCHED_ATTR_BYTES, 0);
      attributes.writeUInt32LE(policy, 4);
      attributes.writeInt32LE(nice, 16);
      attributes.writeUInt32LE(priority, 20);
      call(`set the scheduling of thread ${tid}`, SYS.sched_setattr, tid, attributes, 0);
    }
  }
  const persona = BigInt(`0x${readProc(`${pid}/task/${tid}`, "personality").trim()}`);
  if (persona !== extra.personality) remote.call("take its personality", SYS.personality, extra.personality);
}
