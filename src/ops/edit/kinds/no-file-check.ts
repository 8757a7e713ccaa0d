import { globMatcher } from "../../../io/glob.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { type FoundFile, regFiles } from "../reg-files.js";
import { parsePattern } from "./accept-file.js";

/** `--no-file-check GLOB`: the restore opens these files whatever they have become. */
export const noFileCheck: EditKind<string, Draft> = {
  name: "no-file-check",
  syntax: "GLOB",
  summary: "drop size, mode and build id of these files, so that the restore opens them unchecked",
  parse: parsePattern,
  lookedFor: (glob) => `no open or mapped file's path matches ${glob}`,
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const matches = globMatcher(args);
      for (const file of regFiles(draft))
        if (file.value.ext !== true && matches(file.value.name)) dropChecks(draft, edit, file);
    }
  },
};

/** Takes away what the restore compares with the file on disk; all three fields are optional. */
export function dropChecks(draft: Draft, edit: Edit, { image, record, path }: FoundFile): void {
  for (const field of ["size", "mode", "build_id"])
    draft.change(edit, image, record, [...path, field], undefined);
}
