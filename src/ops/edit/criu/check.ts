import { isEngineFile } from "../../../formats/archive/engine-files.js";
import { CriuImageSet } from "../../../formats/criu/image-set.js";
import { EditError, isCrimgError } from "../../../io/errors.js";
import { OverlayFileSet } from "../../../io/file-set.js";
import { type Splice, splicedFiles } from "../../../io/splice.js";
import { equalValues } from "../../../schema/equal.js";
import type { SetRecords } from "./set-records.js";

/**
 * Reads the changed images as they would be written and compares them with the editor, record by record.
 * Errors: EDIT when the result is no image any more, or another one than was planned.
 */
export function checkSplices(editor: SetRecords, splices: ReadonlyMap<string, readonly Splice[]>): void {
  const overlay = new OverlayFileSet(editor.files, splicedFiles(editor.files, splices));
  const after = new CriuImageSet(overlay);
  for (const name of splices.keys()) {
    if (isEngineFile(name)) continue; // no image
    const before = editor.set.imageNamed(name);
    if (before?.header === undefined) continue;
    let count = 0;
    try {
      const kept = before.records().filter((record) => !editor.isDropped(before, record));
      for (const record of after.imageNamed(name)?.readRecords() ?? []) {
        const planned = kept[count++];
        if (planned !== undefined && !equalValues(record.value, planned.value))
          throw new EditError(`record ${planned.index} would not have the planned values`, {
            file: before.source.name,
          });
      }
    } catch (error) {
      if (!isCrimgError(error) || error.code === "EDIT") throw error;
      throw new EditError(`this edit would damage the image: ${error.message}`, {
        cause: error,
      });
    }
    if (count !== editor.recordCount(before))
      throw new EditError(`the edit would leave ${count} records (expected ${editor.recordCount(before)})`, {
        file: before.source.name,
      });
  }
}
