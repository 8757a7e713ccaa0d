import { CORE_ENTRY, TASK_CORE_ENTRY } from "../../formats/criu/tables/core.js";
import { MM_ENTRY } from "../../formats/criu/tables/mm.js";
import { part } from "../../schema/message.js";

const { task_state, exit_code, comm } = TASK_CORE_ENTRY.fields;
const { mtype, tc, ids } = CORE_ENTRY.fields;

/** What a task is, without its registers and signal actions, which are most of a core image. */
export const CORE_HEAD = part(CORE_ENTRY, {
  mtype,
  tc: { ...tc, type: part(TASK_CORE_ENTRY, { task_state, exit_code, comm }) },
  ids,
});

const { vmas, ...marks } = MM_ENTRY.fields;

/** An address space without its mappings, which may be many. */
export const MM_HEAD = part(MM_ENTRY, marks);

/** The mappings alone. */
export const MM_VMAS = part(MM_ENTRY, { vmas });
