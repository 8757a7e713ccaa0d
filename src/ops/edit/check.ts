import { CriuImageSet } from "../../formats/criu/image-set.js";
import { EditError, isCrimgError } from "../../io/errors.js";
import { OverlayFileSet } from "../../io/file-set.js";
import type { ByteSource } from "../../io/source.js";
import { type Splice, SplicedSource } from "../../io/splice.js";
import { equalValues } from "../../schema/equal.js";
import type { Draft } from "./draft.js";

/** The changed files as they would be written. */
export function splicedFiles(
  files: { open(name: string): ByteSource | undefined },
  splices: ReadonlyMap<string, readonly Splice[]>,
): Map<string, SplicedSource> {
  const changed = new Map<string, SplicedSource>();
  for (const [name, list] of splices) {
    const base = files.open(name);
    if (base !== undefined) changed.set(name, new SplicedSource(base, list));
  }
  return changed;
}

/**
 * Reads the changed images as they would be written and compares them with the draft, record by record.
 * Errors: EDIT when the result is no image any more, or another one than was planned.
 */
export function checkSplices(draft: Draft, splices: ReadonlyMap<string, readonly Splice[]>): void {
  const overlay = new OverlayFileSet(draft.files, splicedFiles(draft.files, splices));
  const after = new CriuImageSet(overlay);
  for (const name of splices.keys()) {
    const before = draft.set.imageNamed(name);
    if (before?.header === undefined) continue;
    let count = 0;
    try {
      const kept = before.records().filter((record) => !draft.isDropped(before, record));
      for (const record of after.imageNamed(name)?.readRecords() ?? []) {
        const planned = kept[count++];
        if (planned !== undefined && !equalValues(record.value, planned.value))
          throw new EditError(`record ${planned.index} would not hold what was planned`, {
            file: before.source.name,
          });
      }
    } catch (error) {
      if (!isCrimgError(error) || error.code === "EDIT") throw error;
      throw new EditError(`after this edit it would be no image any more: ${error.message}`, {
        cause: error,
      });
    }
    if (count !== draft.recordCount(before))
      throw new EditError(`${count} records would be read back, ${draft.recordCount(before)} were planned`, {
        file: before.source.name,
      });
  }
}
