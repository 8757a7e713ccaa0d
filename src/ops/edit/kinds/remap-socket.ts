import { EditError } from "../../../io/errors.js";
import { bytesToText, textToBytes } from "../../../io/text.js";
import { SUN_PATH_BYTES } from "../../../linux/sockets.js";
import { formatPath } from "../../../schema/patch.js";
import type { VisitedField } from "../../../schema/visit.js";
import type { Draft, Found } from "../draft.js";
import type { OwnedRule, PathRules } from "../path-rules.js";
import { leaveMentioned, setPath } from "./path-field.js";

/**
 * Moves the name of a unix socket: bytes with one NUL at the end that counts, absolute or relative to `name_dir`.
 * Unnamed and abstract sockets have no path. Errors: EDIT when the new name does not fit into a socket address.
 */
export function remapSocket(draft: Draft, rules: PathRules<OwnedRule>, found: Found<VisitedField>): void {
  const bytes = found.owner.name as Buffer;
  const dir = found.owner.name_dir as string | undefined;
  if (bytes.length === 0 || bytes[0] === 0) {
    leaveMentioned(draft, rules, found, "an abstract socket name, which is no path", bytesToText(bytes));
    return;
  }
  const hasNul = bytes.at(-1) === 0;
  const name = bytesToText(hasNul ? bytes.subarray(0, -1) : bytes);
  if (!name.startsWith("/") && dir === undefined) {
    leaveMentioned(draft, rules, found, "a relative socket name without a directory", name);
    return;
  }
  const mapped = rules.map(name.startsWith("/") ? name : `${dir}/${name}`);
  const newDir = dir === undefined ? undefined : rules.map(dir);
  if (mapped === undefined && newDir === undefined) {
    leaveMentioned(draft, rules, found, "not OLD itself and not below it", name);
    return;
  }
  const base = [...found.path.slice(0, -1)];
  if (name.startsWith("/")) {
    if (mapped !== undefined) setName(draft, mapped.rule, found, mapped.path, hasNul);
    if (newDir !== undefined)
      setPath(draft, newDir.rule, { ...found, path: [...base, "name_dir"] }, newDir.path);
    return;
  }
  const rule = (mapped ?? newDir)?.rule as OwnedRule;
  const full = mapped?.path ?? `${dir}/${name}`;
  const target = relativeName(full, newDir?.path ?? (dir as string));
  setPath(draft, rule, { ...found, path: [...base, "name_dir"] }, target.dir);
  if (target.name !== name) setName(draft, rule, found, target.name, hasNul);
}

/** The name stays relative; its directory follows where it would have to climb. */
export function relativeName(full: string, dir: string): { readonly dir: string; readonly name: string } {
  const prefix = dir === "/" ? "/" : `${dir}/`;
  if (full.startsWith(prefix)) return { dir, name: full.slice(prefix.length) };
  const slash = full.lastIndexOf("/");
  return { dir: full.slice(0, slash) || "/", name: full.slice(slash + 1) };
}

function setName(
  draft: Draft,
  rule: OwnedRule,
  found: Found<VisitedField>,
  name: string,
  hasNul: boolean,
): void {
  const bytes = Buffer.concat([textToBytes(name), Buffer.alloc(hasNul ? 1 : 0)]);
  if (bytes.length > SUN_PATH_BYTES)
    throw new EditError(
      `the socket name ${JSON.stringify(name)} would have ${bytes.length} bytes with its NUL, a socket address holds ${SUN_PATH_BYTES}; choose a shorter path`,
      { file: found.image.source.name, path: `[${found.record.index}].${formatPath(found.path)}` },
    );
  draft.change(rule.edit, found.image, found.record, found.path, bytes);
}
