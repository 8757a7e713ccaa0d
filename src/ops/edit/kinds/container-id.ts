import type { FactKind } from "../../../formats/archive/facts.js";
import { UsageError } from "../../../io/errors.js";
import type { Editor } from "../editor.js";
import type { EditKind } from "../kind.js";
import { type OwnedRule, PathRules } from "../path-rules.js";
import type { Edit } from "../plan.js";
import { moveControlGroups } from "./cgroup.js";

/**
 * `--container-id ID`: in the files of the engine, in the paths that these name after the container, and in the control
 * groups and mounts of the images.
 */
export const containerId: EditKind<string> = {
  name: "container-id",
  syntax: "ID",
  summary: "id of the container, also in paths of its engine and in control groups",
  parse(text) {
    // Of Podman, CRI-O and containerd: 32 random bytes.
    if (!/^[0-9a-f]{64}$/.test(text))
      throw new UsageError(
        `invalid id ${JSON.stringify(text)} (expected 64 hexadecimal digits in lower case)`,
      );
    return text;
  },
  lookedFor: () => "no file of an engine beside the images has the id of a container",
  plan(edits, editor) {
    for (const { edit, args } of edits) {
      const old = new Set<string>();
      editor.changeFacts("container id", ({ value }) => {
        if (value !== "") old.add(String(value));
        return { edit, value: args };
      });
      for (const id of old) if (id !== args) movePaths(editor, edit, id, args);
    }
  },
};

function movePaths(editor: Editor, edit: Edit, from: string, to: string): void {
  const groups = new PathRules([
    ...rulesFor(edit, from, to, [
      ...valuesOf(editor, "control group"),
      ...[...editor.groupMembers()].map(({ path }) => path),
    ]),
  ]);
  moveControlGroups(editor, groups);
  const paths = new PathRules([...rulesFor(edit, from, to, valuesOf(editor, "path")), ...groups.rules]);
  editor.remapMounts(paths);
  editor.changeFacts("path", ({ value }) => {
    const mapped = paths.map(String(value));
    return mapped && { edit, value: mapped.path };
  });
  editor.replaced.set(from, edit);
}

function valuesOf(editor: Editor, kind: FactKind): string[] {
  const values: string[] = [];
  editor.changeFacts(kind, ({ value }) => {
    values.push(String(value));
    return undefined;
  });
  return values;
}

/** Of each path the part up to the component that has the id: `/libpod_parent/libpod-ID`. */
function rulesFor(edit: Edit, id: string, to: string, paths: readonly string[]): OwnedRule[] {
  const froms = new Set<string>();
  for (const path of paths) {
    const at = path.indexOf(id);
    if (at === -1 || !path.startsWith("/")) continue;
    const end = path.indexOf("/", at);
    froms.add(end === -1 ? path : path.slice(0, end));
  }
  return [...froms].map((from) => ({ from, to: from.replaceAll(id, to), edit }));
}
