import type { Editor } from "../editor.js";
import type { EditKind } from "../kind.js";
import type { PathField, PathUse } from "../objects.js";
import { type OwnedRule, type PathRule, PathRules, parsePathRule } from "../path-rules.js";
import { warnOfMovedSqlite } from "./moved-sqlite.js";
import { remapSockets } from "./remap-socket.js";

type Rules = PathRules<OwnedRule>;

/** `--remap-path OLD=NEW`: over every field that holds a path, wherever it stands. */
export const remapPath: EditKind<PathRule> = {
  name: "remap-path",
  syntax: "OLD=NEW",
  summary: "move OLD and all below it to NEW, in every field of every image that holds a path",
  parse: parsePathRule,
  lookedFor: ({ from }) => `no path in the set is ${from || "/"} or lies below it`,
  plan(edits, editor) {
    const rules = new PathRules(edits.map(({ edit, args }): OwnedRule => ({ ...args, edit })));
    warnOfMovedSqlite(editor, rules);
    editor.remapMounts(rules);
    editor.eachPath((path, use) => remap(editor, rules, path, use));
    remapSockets(editor, rules);
    editor.changeFacts("path", ({ value }) => {
      const mapped = rules.map(String(value));
      return mapped && { edit: mapped.rule.edit, value: mapped.path };
    });
    for (const { from, edit } of rules.rules) {
      if (from === "") continue;
      editor.replaced.set(from, edit);
      editor.leaveSimilar(edit, from, "path");
    }
  },
};

function remap(
  editor: Editor,
  rules: Rules,
  path: PathField,
  { noPath, isLoose, substituteOf }: PathUse,
): void {
  const { text } = path;
  const mapped = noPath !== undefined ? undefined : isLoose === true ? rules.mapLoose(text) : rules.map(text);
  const after = mapped ?? (substituteOf === undefined ? undefined : besideMoved(rules, substituteOf, text));
  if (after !== undefined) editor.changePath(after.rule.edit, path, after.path);
  else editor.leaveMentioned(rules, path, noPath ?? "not OLD itself and not below it");
  if (substituteOf !== undefined) noteSubstitute(editor, rules, substituteOf, text, after?.path);
}

/** The link that brings a deleted file back and lies beside it follows it into its new directory. */
function besideMoved(rules: Rules, file: string, link: string): ReturnType<Rules["map"]> {
  const moved = rules.mapLoose(file);
  if (moved === undefined || directoryOf(link) !== directoryOf(file)) return undefined;
  return { path: directoryOf(moved.path) + link.slice(directoryOf(link).length), rule: moved.rule };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** What the user has to do on disk. */
function noteSubstitute(
  editor: Editor,
  rules: Rules,
  file: string,
  link: string,
  fresh: string | undefined,
): void {
  if (fresh !== undefined)
    editor.notes.add(`the deleted file ${file} comes back from ${link}: move that to ${fresh} on disk`);
  else if (rules.mapLoose(file) !== undefined)
    editor.notes.add(
      `the deleted file ${file} comes back from ${link}, which no rule moves: it must be on the file system of the file's new path`,
    );
}
