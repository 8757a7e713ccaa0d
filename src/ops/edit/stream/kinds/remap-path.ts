import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { Parsed } from "../../kind.js";
import { warnOfMovedSqlite } from "../../kinds/moved-sqlite.js";
import { remapSockets } from "../../kinds/remap-socket.js";
import { type OwnedRule, type PathRule, PathRules } from "../../path-rules.js";
import { pathOf, streamFiles } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { leaveInStream } from "../lookalikes.js";

/** Every path of a stream, from the root of the container: of files, directories, watches, unix sockets, substitutes. */
export function planRemapPath(edits: readonly Parsed<PathRule>[], draft: StreamDraft): void {
  const rules = new PathRules(edits.map(({ edit, args }): OwnedRule => ({ ...args, edit })));
  warnOfMovedSqlite(draft, fileNames(draft), rules);
  const substitutes = substitutesOf(draft);
  for (let index = 0; index < draft.image.length; index++) {
    if (draft.image.kind(index)?.payload !== "path" || draft.isDropped(index)) continue;
    const text = draft.text(index);
    const mapped = substitutes.has(index) ? rules.mapLoose(text) : rules.map(text);
    if (mapped !== undefined) {
      draft.setText(mapped.rule.edit, index, mapped.path);
      noteSubstitute(draft, substitutes.get(index), text, mapped.path);
    } else leaveMentioned(draft, rules, index, "text", text, "not OLD itself and not below it");
  }
  noteStaying(draft, rules, substitutes);
  remapSockets(draft, rules);
  for (const { from, edit } of rules.rules) {
    if (from === "") continue;
    draft.replaced.set(from, edit);
    leaveInStream(
      draft,
      edit,
      from,
      (kind, field) => kind?.payload === "path" || (kind === RECORDS.SOCKET_UNIX && field.endsWith("addr")),
    );
  }
}

/** Notes a place that holds the text of a rule's OLD and is not matched by it. */
export function leaveMentioned(
  draft: StreamDraft,
  rules: PathRules<OwnedRule>,
  record: number,
  field: string,
  text: string,
  why: string,
): void {
  const rule = rules.mentionedIn(text);
  if (rule !== undefined) draft.leave(rule.edit, { image: draft.name, record, field, value: text, why });
}

function* fileNames(draft: StreamDraft): Generator<string> {
  for (const file of streamFiles(draft)) yield pathOf(draft, file) ?? "";
}

/** A deleted file: the record with its own name, and that with the path of what stands for it. */
interface Substitute {
  readonly name: number;
  readonly method: number;
}

const RELINK = 1;

function substitutesOf(draft: StreamDraft): ReadonlyMap<number, Substitute> {
  const found = new Map<number, Substitute>();
  for (const { part, name } of streamFiles(draft)) {
    const unlinked = draft.reader.index(part, RECORDS.FILE_UNLINKED);
    const substitute = draft.reader.index(part, RECORDS.FILE_NAME, 1);
    if (unlinked === undefined || substitute === undefined || name === undefined) continue;
    found.set(substitute, { name, method: draft.value(unlinked, RECORDS.FILE_UNLINKED).method });
  }
  return found;
}

function noteSubstitute(draft: StreamDraft, of: Substitute | undefined, old: string, fresh: string): void {
  if (of === undefined) return;
  const from = of.method === RELINK ? ", both counted from the root of their file system" : "";
  draft.notes.add(
    `the deleted file ${draft.text(of.name)} comes back from ${old}: move that to ${fresh} on disk${from}`,
  );
}

/** The link of a deleted file stays in its file system, so the file must not move to another one without it. */
function noteStaying(
  draft: StreamDraft,
  rules: PathRules<OwnedRule>,
  substitutes: ReadonlyMap<number, Substitute>,
): void {
  for (const [index, { name, method }] of substitutes) {
    const wasMoved = draft.text(name) !== draft.image.text(name);
    if (method !== RELINK || !wasMoved || rules.mapLoose(draft.image.text(index)) !== undefined) continue;
    draft.notes.add(
      `the deleted file ${draft.text(name)} comes back from ${draft.text(index)}, which no rule moves: it is looked for from the root of the file system that the file's new path lies on`,
    );
  }
}
