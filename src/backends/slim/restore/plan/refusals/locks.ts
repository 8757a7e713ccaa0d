import type { Host } from "../../host.js";
import { type Image, liveProcesses } from "../../image.js";
import { lockWords } from "../../lock-words.js";

/** Locks and leases that somebody else keeps from being taken. Deleted files are not looked at: nobody knows them. */
export function unsupportedLocks(image: Image, host: Host): string[] {
  return liveProcesses(image).flatMap(({ process, objects }) =>
    image.table(objects.files_objref).flatMap(({ fd, objref, locks }) => {
      const file = image.files.get(objref);
      const { path } = file ?? {};
      if (path === undefined || file?.deleted !== undefined) return [];
      return locks.flatMap((lock) => {
        const conflicts = host.conflictsOf(path, lock);
        if (conflicts.length === 0) return [];
        return [
          `descriptor ${fd} of task ${process.ids.pid}: its ${lockWords(lock)} of ${path} cannot be taken: ${conflicts.join(", ")}`,
        ];
      });
    }),
  );
}
