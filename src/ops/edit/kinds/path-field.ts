import { EditError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import { formatPath } from "../../../schema/patch.js";
import type { VisitedField } from "../../../schema/visit.js";
import type { Draft, Found } from "../draft.js";
import type { OwnedRule, PathRules } from "../path-rules.js";

/** Linux takes paths of at most 4095 bytes (PATH_MAX less the NUL). */
const MAX_PATH_BYTES = 4095;

/** Puts a new path into the field that was found. Errors: EDIT when it is too long for the kernel. */
export function setPath(draft: Draft, rule: OwnedRule, found: Found<VisitedField>, path: string): void {
  assertPathLength(path, found);
  draft.change(rule.edit, found.image, found.record, found.path, path);
}

function assertPathLength(path: string, found: Found<VisitedField>): void {
  // No character takes more than 3 bytes of UTF-8 a UTF-16 unit.
  if (path.length * 3 <= MAX_PATH_BYTES) return;
  const { length } = textToBytes(path);
  if (length > MAX_PATH_BYTES)
    throw new EditError(`the new path has ${length} bytes, Linux takes at most ${MAX_PATH_BYTES}`, {
      file: found.image.source.name,
      path: `[${found.record.index}].${formatPath(found.path)}`,
    });
}

/** Notes a field that holds the text of a rule's OLD and is not matched by it. */
export function leaveMentioned(
  draft: Draft,
  rules: PathRules<OwnedRule>,
  found: Found<VisitedField>,
  why: string,
  text = String(found.owner[found.name]),
): void {
  const rule = rules.mentionedIn(text);
  if (rule === undefined) return;
  draft.leave(rule.edit, {
    image: found.image.fileName,
    record: found.record.index,
    field: formatPath(found.path),
    value: text,
    why,
  });
}
