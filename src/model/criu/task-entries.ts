import path from "node:path";
import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FormatError } from "../../io/errors.js";
import { MAX_TASK_ENTRIES } from "../../io/limits.js";

/** Limits, signal actions or timers of a task: more than `most` are refused and the rest is left out. */
export function taskEntries<T>(
  set: CriuImageSet,
  pid: number,
  what: string,
  entries: readonly T[],
  most = MAX_TASK_ENTRIES,
): readonly T[] {
  if (entries.length <= most) return entries;
  const core = fileNameOf(IMAGES.CORE, pid);
  const text = `invalid number of ${what} ${entries.length} of task ${pid} (expected at most ${most})`;
  set.refuse(core, 0, new FormatError("TOO_LARGE", text, { file: path.join(set.name, core) }));
  return entries.slice(0, most);
}
