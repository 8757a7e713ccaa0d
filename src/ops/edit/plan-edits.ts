import { CrimgError, UsageError } from "../../io/errors.js";
import type { Document } from "../../model/document.js";
import type { Policy } from "../../model/policy.js";
import type { Recipe } from "../../model/recipe.js";
import type { ChangeLog } from "./change-log.js";
import { filesOfSet } from "./criu/packaged-files.js";
import { podWarnings } from "./criu/pod-warnings.js";
import { SetEditor } from "./criu/set-editor.js";
import type { Editor } from "./editor.js";
import type { EditGroup, EditKind, Parsed } from "./kind.js";
import { EDIT_KINDS } from "./kinds/index.js";
import { planPolicies, policyEdit } from "./kinds/policy.js";
import { StreamEditor } from "./linux-cr/stream-editor.js";
import { searchMemory } from "./mention-search.js";
import { type Edit, editText, type Plan, type PlanOptions } from "./plan.js";

/**
 * Works out what edits do to an image set or a stream, in their order, and policies after them; nothing is written. The
 * result is read again as an image before it is given out.
 * Errors: USAGE for an edit that makes no sense, EDIT for one that cannot be made, FormatError for a damaged image.
 */
export function planEdits(
  document: Document,
  edits: readonly Edit[],
  options: PlanOptions = {},
  policies: readonly Policy[] = [],
): Plan {
  const groups = grouped(edits);
  const editor: Editor =
    document.family === "criu"
      ? new SetEditor(filesOfSet(document), options)
      : new StreamEditor(document, options);
  for (const { kind, members } of groups) kind.plan(members, editor);
  const policyMatches = planPolicies(policies, editor);
  editor.finish();
  const splices = editor.splices();
  editor.check(splices);
  const { scanMemory, onProgress } = options;
  const mentions = scanMemory === true ? searchMemory(editor, editor.storedMemory(), onProgress) : undefined;
  const { changes, left, due, newFiles, restore } = editor;
  const told = groups.flatMap(({ members }) => members.map(({ edit }) => edit));
  return {
    ...{ set: document.name, edits: [...told, ...policies.map(policyEdit)], changes, left },
    undoable: groups.every(({ kind }) => kind.isSecret !== true),
    notes: [...editor.notes],
    warnings: [...editor.warnings, ...(document.family === "criu" ? podWarnings(document, told) : [])],
    unmatched: unmatched(groups, editor, policies.length > 0 && policyMatches === 0),
    ...{ mentions, due, newFiles, restore, splices },
  };
}

function unmatched(groups: readonly EditGroup[], log: ChangeLog, noPolicyMatched: boolean): string[] {
  const sentences = groups.flatMap(({ kind, members }) =>
    members
      .filter(({ edit }) => log.matches(edit) === 0)
      .map(({ edit, args }) => `${editText(edit)}: ${kind.lookedFor(args)}`),
  );
  // Single policies need not match: they are patterns for sets of many kinds.
  if (noPolicyMatched && groups.length === 0) sentences.push("policies: no descriptor or file matches one");
  return sentences;
}

/** The edits of a recipe as flags would give them. Errors: USAGE for a key that is no edit. */
export function recipeEdits({ edits }: Recipe): Edit[] {
  return edits.map(({ kind, key, value }) => ({
    kind,
    text: key === undefined ? value : `${key}${kindNamed(kind).joiner ?? "="}${value}`,
  }));
}

/**
 * Neighbours of one kind are planned together, so that the longest path wins whatever their order. A secret goes no further
 * than its own kind.
 */
function grouped(edits: readonly Edit[]): EditGroup[] {
  const groups: { readonly kind: EditKind; readonly members: Parsed<unknown>[] }[] = [];
  for (const edit of edits) {
    const kind = kindNamed(edit.kind);
    const told = kind.isSecret ? { kind: edit.kind, text: "(value not kept)" } : edit;
    const parsed = { edit: told, args: parse(kind, edit) };
    const last = groups.at(-1);
    if (last?.kind === kind) last.members.push(parsed);
    else groups.push({ kind, members: [parsed] });
  }
  return groups;
}

function kindNamed(name: string): EditKind {
  const kind = EDIT_KINDS.find((each) => each.name === name);
  if (kind === undefined)
    throw new UsageError(
      `unknown edit ${JSON.stringify(name)} (expected ${EDIT_KINDS.map((each) => each.name).join(", ")})`,
    );
  return kind;
}

function parse(kind: EditKind, edit: Edit): unknown {
  try {
    return kind.parse(edit.text);
  } catch (error) {
    throw error instanceof CrimgError && error.code === "USAGE"
      ? new UsageError(`--${edit.kind}: ${error.message}`)
      : error;
  }
}
