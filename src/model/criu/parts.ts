import { CORE_ENTRY, TASK_CORE_ENTRY } from "../../formats/criu/tables/core.js";
import { part } from "../../schema/message.js";

const { task_state, exit_code, comm } = TASK_CORE_ENTRY.fields;
const { mtype, tc, ids } = CORE_ENTRY.fields;

/** What a task is, without its registers and signal actions, which are most of a core image. */
export const CORE_HEAD = part(CORE_ENTRY, {
  mtype,
  tc: { ...tc, type: part(TASK_CORE_ENTRY, { task_state, exit_code, comm }) },
  ids,
});
