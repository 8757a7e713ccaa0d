import { IMAGES } from "../../../formats/criu/images.js";
import { GHOST_FILE_ENTRY } from "../../../formats/criu/tables/ghost-file.js";
import { MNT_ENTRY } from "../../../formats/criu/tables/mnt.js";
import { REG_FILE_ENTRY } from "../../../formats/criu/tables/regfile.js";
import { UNIX_SK_ENTRY } from "../../../formats/criu/tables/sk-unix.js";
import type { Field } from "../../../schema/message.js";
import type { VisitedField } from "../../../schema/visit.js";
import type { Draft, Found } from "../draft.js";
import type { EditKind, Parsed } from "../kind.js";
import { leaveLookalikes } from "../lookalikes.js";
import { type OwnedRule, type PathRule, PathRules, parsePathRule } from "../path-rules.js";
import { movedLinkRemaps } from "./link-remaps.js";
import { warnOfMovedSqlite } from "./moved-sqlite.js";
import { leaveMentioned, setPath } from "./path-field.js";
import { remapMountField } from "./remap-mount.js";
import { remapSockets } from "./remap-socket.js";

/** Fields of all image kinds that hold a path of the file system. */
export function holdsPath(field: Field): boolean {
  return field.holds === "path" || field.holds === "path-text";
}

/** `--remap-path OLD=NEW`: over every field that holds a path, whatever image it stands in. */
export const remapPath: EditKind<PathRule, Draft> = {
  name: "remap-path",
  syntax: "OLD=NEW",
  summary: "move OLD and all below it to NEW, in every field of every image that holds a path",
  parse: parsePathRule,
  lookedFor: ({ from }) => `no path in the set is ${from || "/"} or lies below it`,
  plan(edits, draft) {
    const rules = new PathRules(
      edits.map(({ edit, args }: Parsed<PathRule>): OwnedRule => ({ ...args, edit })),
    );
    const links = movedLinkRemaps(draft, rules);
    warnOfMovedSqlite(draft, regularFileNames(draft), rules);
    draft.eachField(holdsPath, (found) => remapField(draft, rules, found));
    remapSockets(draft, rules);
    for (const move of links) move();
    for (const { from, edit } of rules.rules) {
      if (from === "") continue;
      draft.replaced.set(from, edit);
      leaveLookalikes(draft, edit, from, holdsPath);
    }
  },
};

function remapField(draft: Draft, rules: PathRules<OwnedRule>, found: Found<VisitedField>): void {
  const { table, name } = found;
  if (table === UNIX_SK_ENTRY) return;
  if (table === MNT_ENTRY && name !== "mountpoint") {
    remapMountField(draft, rules, found);
    return;
  }
  const value = found.owner[name] as string;
  if (table === REG_FILE_ENTRY && found.owner.ext === true) {
    leaveMentioned(draft, rules, found, "the key of an external file, not a path");
    return;
  }
  const mapped = table === GHOST_FILE_ENTRY ? rules.map(value) : rules.mapLoose(value);
  if (mapped === undefined) leaveMentioned(draft, rules, found, "not OLD itself and not below it");
  else setPath(draft, mapped.rule, found, mapped.path);
}

function* regularFileNames(draft: Draft): Generator<string> {
  for (const { value } of draft.set.records(IMAGES.FILES)) if (value.reg !== undefined) yield value.reg.name;
  for (const { value } of draft.set.records(IMAGES.REG_FILES)) yield value.name;
}
