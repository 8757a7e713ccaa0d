import type { CriuImage, ImageRecord } from "../../../formats/criu/image.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { CgMemberEntry, CgroupDirEntry, CgroupEntry } from "../../../formats/criu/tables/cgroup.js";
import { EditError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import type { Field } from "../../../schema/message.js";
import { type FieldPath, formatPath } from "../../../schema/patch.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import { leaveLookalikes } from "../lookalikes.js";
import { type OwnedRule, type PathRule, PathRules, parsePathRule } from "../path-rules.js";

interface CgroupImage {
  readonly draft: Draft;
  readonly image: CriuImage;
  readonly record: ImageRecord;
  readonly rules: PathRules<OwnedRule>;
}

/** `--cgroup OLD=NEW`: members and directories of control groups. */
export const cgroup: EditKind<PathRule, Draft> = {
  name: "cgroup",
  syntax: "OLD=NEW",
  summary: "move control group OLD and all below it to NEW, members and directories alike",
  parse: parsePathRule,
  lookedFor: ({ from }) => `no control group in the set is ${from || "/"} or lies below it`,
  plan(edits, draft) {
    const rules = new PathRules(edits.map(({ edit, args }): OwnedRule => ({ ...args, edit })));
    const image = draft.set.image(IMAGES.CGROUP) as CriuImage | undefined;
    for (const record of image?.records() ?? [])
      if (image !== undefined) moveGroups({ draft, image, record, rules });
    for (const { from, edit } of rules.rules) {
      if (from === "") continue;
      draft.replaced.set(from, edit);
      leaveLookalikes(draft, edit, from, holdsCgroup);
    }
  },
};

function holdsCgroup(field: Field): boolean {
  return field.holds === "cgroup-path";
}

function moveGroups(at: CgroupImage): void {
  const value = at.record.value as unknown as CgroupEntry;
  value.sets.forEach((set, i) => {
    set.ctls.forEach((member, j) => {
      moveMember(at, ["sets", i, "ctls", j], member);
    });
  });
  value.controllers.forEach((controller, i) => {
    const orphans: CgroupDirEntry[] = [];
    const top: FieldPath = ["controllers", i, "dirs"];
    controller.dirs.forEach((dir, j) => {
      moveDirectory(at, [...top, j], dir, `/${dir.dir_name}`.replace(/\/$/, ""), "", orphans);
    });
    for (const orphan of orphans) {
      const rule = at.rules.map(`/${orphan.dir_name}`)?.rule ?? (at.rules.rules[0] as OwnedRule);
      at.draft.change(rule.edit, at.image, at.record, [...top, controller.dirs.length], orphan);
    }
  });
}

/** `cgns_prefix` counts the bytes of the path that lie outside the task's cgroup namespace. */
function moveMember(
  { draft, image, record, rules }: CgroupImage,
  path: FieldPath,
  member: CgMemberEntry,
): void {
  const mapped = rules.map(member.path);
  if (mapped === undefined) return;
  const { cgns_prefix } = member;
  const { edit } = mapped.rule;
  if (cgns_prefix !== undefined && cgns_prefix > 0) {
    const prefix = textToBytes(member.path).subarray(0, cgns_prefix).toString("utf8");
    const fresh = rules.map(prefix)?.path ?? prefix;
    if (mapped.path !== fresh && !mapped.path.startsWith(`${fresh}/`))
      throw new EditError(
        `the root of the tasks' cgroup namespace is ${prefix}, and ${mapped.path} would lie outside of it; move ${prefix} itself`,
        { file: image.source.name, path: `[${record.index}].${formatPath(path)}` },
      );
    draft.change(edit, image, record, [...path, "cgns_prefix"], textToBytes(fresh).length);
  }
  draft.change(edit, image, record, [...path, "path"], mapped.path);
}

/**
 * Moves one directory and those below it. A top directory is named by its whole path, the others by the part below
 * their parent (`before` and `after` the move). What leaves its parent becomes a top directory, put into `orphans`.
 */
function moveDirectory(
  at: CgroupImage,
  path: FieldPath,
  dir: CgroupDirEntry,
  before: string,
  parentAfter: string,
  orphans: CgroupDirEntry[],
): void {
  const mapped = before === "" ? undefined : at.rules.map(before);
  const after = mapped?.path ?? before;
  const gone: number[] = [];
  dir.children.forEach((child, i) => {
    const childBefore = `${before}/${child.dir_name}`;
    const moved = at.rules.map(childBefore);
    if (moved !== undefined && !moved.path.startsWith(`${after}/`)) {
      gone.push(i);
      orphans.push(renamedTree(at.rules, child, childBefore, moved.path.slice(1)));
    } else moveDirectory(at, [...path, "children", i], child, childBefore, after, orphans);
  });
  if (mapped !== undefined) {
    const name = after.slice(parentAfter.length + 1);
    at.draft.change(mapped.rule.edit, at.image, at.record, [...path, "dir_name"], name);
  }
  for (const i of gone.reverse()) {
    const rule = at.rules.map(`${before}/${dir.children[i]?.dir_name}`)?.rule as OwnedRule;
    at.draft.change(rule.edit, at.image, at.record, [...path, "children", i], undefined);
  }
}

/** A directory under a new name, with what lies below it. */
function renamedTree(rules: PathRules, dir: CgroupDirEntry, before: string, name: string): CgroupDirEntry {
  const after = rules.map(before)?.path ?? before;
  const children = dir.children.map((child) => {
    const moved = rules.map(`${before}/${child.dir_name}`)?.path;
    const below = moved?.startsWith(`${after}/`) === true ? moved.slice(after.length + 1) : child.dir_name;
    return renamedTree(rules, child, `${before}/${child.dir_name}`, below);
  });
  return { ...dir, dir_name: name, children };
}
