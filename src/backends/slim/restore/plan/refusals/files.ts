import type { OpenFile } from "../../../../../model/checkpoint.js";
import { type Image, liveProcesses } from "../../image.js";

/** FILE.f_type of what this engine opens: `OpenFiles` makes each of them. */
const OPENED: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 1001, 1002, 1003, 1004]);

/** Open files of kinds that this engine cannot make, each once, with a descriptor that leads to it. */
export function unsupportedFiles(image: Image): string[] {
  const seen = new Set<number>();
  return liveProcesses(image).flatMap(({ process: { ids }, objects }) =>
    image.table(objects.files_objref).flatMap(({ fd, objref }) => {
      if (seen.has(objref)) return [];
      seen.add(objref);
      const file = image.files.get(objref);
      const reason = file === undefined ? "is not in the checkpoint" : reasonOf(file);
      return reason === undefined
        ? []
        : [`descriptor ${fd} of task ${ids.pid}: ${file?.label ?? `FILE ${objref}`} ${reason}`];
    }),
  );
}

function reasonOf({ record, type }: OpenFile): string | undefined {
  return OPENED.has(Number(record.f_type))
    ? undefined
    : `is of a kind (${type}) that this engine does not restore`;
}
