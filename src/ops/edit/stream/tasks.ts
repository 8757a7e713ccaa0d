import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { taskIds } from "../../../model/linux-cr/pids.js";
import type { StreamDraft } from "./draft.js";

/** One TASK of a stream: a thread, or the whole process where it has one thread. */
export interface StreamTask {
  readonly tid: number;
  readonly pid: number;
  readonly part: Part;
}

/** The TASKs in the order of the stream. Errors: FormatError for a stream that is cut off, damaged or failed. */
export function streamTasks(draft: StreamDraft): readonly StreamTask[] {
  return draft.once("tasks", () => {
    const ids = taskIds(draft.reader);
    return draft.reader.tree.tasks.flatMap((part, i) => {
      const own = ids[i];
      return own === undefined ? [] : [{ tid: own.pid, pid: own.tgid, part }];
    });
  });
}

type ObjectField = "files_objref" | "mm_objref" | "signal_objref";

/** Processes by the number of a shared object that they have, each once and in order. */
export function pidsOf(draft: StreamDraft, field: ObjectField, objref: number): readonly number[] {
  const all = draft.once(`pids by ${field}`, () => {
    const pids = new Map<number, Set<number>>();
    for (const { pid, part } of streamTasks(draft)) {
      const objects = draft.reader.find(part, RECORDS.TASK_OBJS)?.value;
      if (objects === undefined) continue;
      const own = pids.get(objects[field]);
      if (own === undefined) pids.set(objects[field], new Set([pid]));
      else own.add(pid);
    }
    return pids;
  });
  return [...(all.get(objref) ?? [])];
}
