import { IMAGES } from "../../../formats/criu/images.js";
import type { CgroupDirEntry, CgroupEntry } from "../../../formats/criu/tables/cgroup.js";
import type { FieldPath } from "../../../schema/patch.js";
import type { OwnedRule, PathRules } from "../path-rules.js";
import type { FoundRecord, SetRecords } from "./set-records.js";

interface CgroupImage extends FoundRecord {
  readonly editor: SetRecords;
  readonly rules: PathRules<OwnedRule>;
}

/** Moves the directories of control groups that the restore makes. */
export function moveGroupDirectories(editor: SetRecords, rules: PathRules<OwnedRule>): void {
  const image = editor.set.image(IMAGES.CGROUP);
  for (const { index } of image?.records() ?? []) {
    const at = { editor, rules, ...editor.recordAt({ image: image?.fileName ?? "", record: index }) };
    const { controllers } = at.record.value as unknown as CgroupEntry;
    for (const [i, { dirs }] of controllers.entries()) moveDirectories(at, ["controllers", i, "dirs"], dirs);
  }
}

function moveDirectories(at: CgroupImage, top: FieldPath, dirs: readonly CgroupDirEntry[]): void {
  const { length } = dirs;
  const orphans: CgroupDirEntry[] = [];
  for (const [j, dir] of dirs.entries())
    moveDirectory(at, [...top, j], dir, `/${dir.dir_name}`.replace(/\/$/, ""), "", orphans);
  for (const [i, orphan] of orphans.entries()) {
    const rule = at.rules.map(`/${orphan.dir_name}`)?.rule ?? (at.rules.rules[0] as OwnedRule);
    at.editor.change(rule.edit, at, [...top, length + i], orphan);
  }
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
    at.editor.change(mapped.rule.edit, at, [...path, "dir_name"], name);
  }
  for (const i of gone.reverse()) {
    const rule = at.rules.map(`${before}/${dir.children[i]?.dir_name}`)?.rule as OwnedRule;
    at.editor.change(rule.edit, at, [...path, "children", i], undefined);
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
