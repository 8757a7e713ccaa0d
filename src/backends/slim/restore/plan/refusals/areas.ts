import { PAGE_SIZE, TASK_SIZE } from "../../../../../linux/mman.js";
import { type Image, liveProcesses } from "../../image.js";
import { hex } from "../step.js";

/** Areas of memory that this engine cannot map. */
export function unsupportedVmas(image: Image): string[] {
  return liveProcesses(image).flatMap(({ process, objects }) => {
    const { pid } = process.ids;
    let last = 0;
    return image.memory(objects.mm_objref).vmas.flatMap(({ start, end, kind, file }) => {
      const where = `task ${pid}: the area ${hex(start)}-${hex(end)}`;
      const overlaps = start < last;
      last = Math.max(last, end);
      if (end <= start || start % PAGE_SIZE !== 0 || end % PAGE_SIZE !== 0 || end > TASK_SIZE)
        return [`${where} is none that a 64-bit task can have`];
      if (overlaps) return [`${where} overlaps the one before it`];
      if (kind === "unknown") return [`${where} is of a kind that this engine does not map`];
      if ((kind === "private file" || kind === "shared file") && image.files.get(file) === undefined)
        return [`${where} maps FILE ${file}, which is not in the checkpoint`];
      return [];
    });
  });
}
