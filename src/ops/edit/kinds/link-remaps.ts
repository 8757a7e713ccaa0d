import { IMAGES } from "../../../formats/criu/images.js";
import { REMAP_TYPE } from "../../../formats/criu/tables/remap-file-path.js";
import type { Draft } from "../draft.js";
import type { OwnedRule, PathRules } from "../path-rules.js";
import { type FoundFile, regFileOf } from "../reg-files.js";

const LINKED = REMAP_TYPE.values.get("LINKED");

/**
 * The hard link that criu left on disk for a deleted file (`link_remap.N`) lies beside it or one directory higher.
 * When a rule moves the file but not the link, the link follows into the file's new directory; either way the
 * user has to move it on disk too, which is noted. Gives what is to be done once the rules were applied to all paths.
 */
export function movedLinkRemaps(draft: Draft, rules: PathRules<OwnedRule>): (() => void)[] {
  const moves: (() => void)[] = [];
  for (const { value } of draft.set.records(IMAGES.REMAP_FPATH)) {
    const isLink =
      value.remap_type === undefined ? value.remap_id < 0x8000_0000 : value.remap_type === LINKED;
    if (!isLink) continue;
    const file = regFileOf(draft, value.orig_id);
    const link = regFileOf(draft, value.remap_id);
    if (file === undefined || link === undefined) continue;
    const oldLink = link.value.name;
    const moved = rules.map(file.value.name);
    const movedLink = rules.map(oldLink);
    const newLink = movedLink?.path ?? (moved && beside(moved.path, file, oldLink));
    if (newLink === undefined || newLink === oldLink) continue;
    if (movedLink === undefined && moved !== undefined)
      moves.push(() =>
        draft.change(moved.rule.edit, link.image, link.record, [...link.path, "name"], newLink),
      );
    draft.notes.add(
      `the deleted file ${file.value.name} comes back from a hard link: move ${oldLink} to ${newLink} on disk`,
    );
  }
  return moves;
}

/** Where the link of a moved file belongs; undefined for a link that did not lie beside it. */
function beside(newPath: string, file: FoundFile, link: string): string | undefined {
  const directory = (path: string): string => path.slice(0, path.lastIndexOf("/"));
  if (directory(link) !== directory(file.value.name)) return undefined;
  return directory(newPath) + link.slice(directory(link).length);
}
