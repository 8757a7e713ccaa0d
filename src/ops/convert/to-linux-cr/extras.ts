import { IMAGES } from "../../../formats/criu/images.js";
import { MM_ENTRY } from "../../../formats/criu/tables/mm.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { decodeTaskAttributes } from "../../../model/criu/attributes.js";
import { decodeControlGroupSet } from "../../../model/criu/control-groups.js";
import { encodeRseq, encodeTaskExtra } from "../../../model/linux-cr/attributes.js";
import { encodeExtended } from "../../../model/linux-cr/registers.js";
import { part } from "../../../schema/message.js";
import type { Context } from "./context.js";
import { credentialsOf } from "./creds.js";
import type { LiveThread } from "./source-task.js";
import { writePosixTimers } from "./timers.js";

/** The one field of an mm image that is asked for; its mappings may be many. */
const HUGE_PAGES = part(MM_ENTRY, { thp_disabled: MM_ENTRY.fields.thp_disabled });

/** The extension records of a thread: what kernels of 2011 did not have. */
export function writeExtras(context: Context, thread: LiveThread): void {
  writeTaskExtra(context, thread);
  const { writer } = context;
  const xstate = encodeExtended(thread.registers.extended);
  if (xstate !== undefined) writer.record(RECORDS.XSTATE, xstate.fields, xstate.payload);
  const { rseq } = thread.attributes;
  if (rseq !== undefined) writer.record(RECORDS.RSEQ, encodeRseq(rseq));
  if (thread.isLeader) writePosixTimers(context, thread);
}

function writeTaskExtra(context: Context, thread: LiveThread): void {
  const { set, writer } = context;
  const { tc, task, isLeader, process } = thread;
  const { seccompFilter } = thread.attributes;
  const mode = tc.seccomp_mode ?? task.old_seccomp_mode ?? 0;
  writer.record(RECORDS.TASK_EXTRA, {
    ...encodeTaskExtra(
      decodeTaskAttributes(task),
      thread.attributes.schedule,
      credentialsOf(context, thread),
      decodeControlGroupSet(set, { tc: task, thread_core: tc }),
    ),
    seccomp_mode: mode,
    seccomp_filter: seccompFilter === undefined ? 0 : seccompFilter + 1,
    thp_disabled:
      isLeader && set.firstPart(IMAGES.MM, process.pid, HUGE_PAGES)?.thp_disabled === true ? 1 : 0,
  });
}
