import { REG_FILE_ENTRY, type RegFileEntry } from "../../formats/criu/tables/regfile.js";
import type { FieldPath } from "../../schema/patch.js";
import type { Draft, Found } from "./draft.js";

/** An open regular file's entry and where it stands. */
export type FoundFile = Found<{ readonly path: FieldPath; readonly value: RegFileEntry }>;

/** Entries of regular files in the order of the images. */
export function regFiles(draft: Draft): readonly FoundFile[] {
  return draft.once("reg files", () => {
    const files: FoundFile[] = [];
    draft.eachMessage(REG_FILE_ENTRY, (found) => files.push(found));
    return files;
  });
}

/** The entry of a regular file by its id. */
export function regFileOf(draft: Draft, id: number): FoundFile | undefined {
  const byId = draft.once(
    "reg files by id",
    () => new Map(regFiles(draft).map((file) => [file.value.id, file])),
  );
  return byId.get(id);
}
