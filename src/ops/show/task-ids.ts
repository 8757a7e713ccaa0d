import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";

/** Ids of the kernel objects and namespaces of a task; undefined for a zombie. */
export function taskIds(set: CriuImageSet, pid: number): TaskKobjIdsEntry | undefined {
  return set.first(IMAGES.IDS, pid) ?? set.first(IMAGES.CORE, pid)?.ids;
}
