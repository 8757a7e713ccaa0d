import { EditError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import type { Editor } from "../editor.js";
import type { EditKind } from "../kind.js";
import type { GroupMember } from "../objects.js";
import { type OwnedRule, type PathRule, PathRules, parsePathRule } from "../path-rules.js";

/** `--cgroup OLD=NEW`: members and directories of control groups. */
export const cgroup: EditKind<PathRule> = {
  name: "cgroup",
  syntax: "OLD=NEW",
  summary: "move control group OLD and all below it to NEW, members and directories alike",
  parse: parsePathRule,
  lookedFor: ({ from }) => `no control group in the set is ${from || "/"} or lies below it`,
  plan(edits, editor) {
    const rules = new PathRules(edits.map(({ edit, args }): OwnedRule => ({ ...args, edit })));
    moveControlGroups(editor, rules);
    for (const { from, edit } of rules.rules) {
      if (from === "") continue;
      editor.replaced.set(from, edit);
      editor.leaveSimilar(edit, from, "cgroup");
    }
  },
};

/** Moves members and directories of groups, and what the files of an engine say of them. */
export function moveControlGroups(editor: Editor, rules: PathRules<OwnedRule>): void {
  for (const member of editor.groupMembers()) moveMember(editor, rules, member);
  editor.moveGroups(rules);
  editor.changeFacts("control group", ({ value }) => {
    const mapped = rules.map(String(value));
    return mapped && { edit: mapped.rule.edit, value: mapped.path };
  });
}

/** The root of a cgroup namespace moves with the path that begins with it. Errors: EDIT for a path that would leave it. */
function moveMember(editor: Editor, rules: PathRules<OwnedRule>, member: GroupMember): void {
  const { path, outside = 0 } = member;
  const mapped = rules.map(path);
  if (mapped === undefined) return;
  let to: Partial<GroupMember> = { path: mapped.path };
  if (outside > 0) {
    const root = textToBytes(path).subarray(0, outside).toString("utf8");
    const fresh = rules.map(root)?.path ?? root;
    if (mapped.path !== fresh && !mapped.path.startsWith(`${fresh}/`))
      throw new EditError(
        `the root of the tasks' cgroup namespace is ${root}, and ${mapped.path} would lie outside of it; move ${root} itself`,
        editor.placeOf(member.origin),
      );
    to = { path: mapped.path, outside: textToBytes(fresh).length };
  }
  editor.changeObject(mapped.rule.edit, "group", member, to, (each) => each.path);
}
