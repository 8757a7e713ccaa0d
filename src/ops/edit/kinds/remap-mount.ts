import type { CriuImage } from "../../../formats/criu/image.js";
import type { MntEntry } from "../../../formats/criu/tables/mnt.js";
import { EditError } from "../../../io/errors.js";
import { formatPath } from "../../../schema/patch.js";
import type { VisitedField } from "../../../schema/visit.js";
import type { Draft, Found } from "../draft.js";
import type { OwnedRule, PathRules } from "../path-rules.js";
import { leaveMentioned, setPath } from "./path-field.js";

/** Moves `root`, `source` or `options` of a mount; `mountpoint` is a path like any other. */
export function remapMountField(draft: Draft, rules: PathRules<OwnedRule>, found: Found<VisitedField>): void {
  if (found.name === "root") remapRoot(draft, rules, found);
  else if (found.name === "source") remapSource(draft, rules, found);
  else remapOptions(draft, rules, found);
}

interface MountBefore {
  readonly mnt_id: number;
  readonly root: string;
  readonly mountpoint: string;
  readonly root_dev: number;
}

/**
 * `root` is a path inside the mounted file system. When the set holds a mount of more of that file system, it says where
 * that path is seen; otherwise it is the path on the host.
 */
function remapRoot(draft: Draft, rules: PathRules<OwnedRule>, found: Found<VisitedField>): void {
  const mount = found.owner as MntEntry;
  if (!mount.root.startsWith("/") || mount.root === "/") return;
  const whole = widerMount(mountsBefore(draft, found.image), mount);
  if (whole === undefined) {
    const mapped = rules.map(mount.root);
    if (mapped === undefined) leaveMentioned(draft, rules, found, "not OLD itself and not below it");
    else setPath(draft, mapped.rule, found, mapped.path);
    return;
  }
  const inside = whole.root === "/" ? mount.root : mount.root.slice(whole.root.length);
  const seen = (whole.mountpoint === "/" ? "" : whole.mountpoint) + inside;
  const mapped = rules.map(seen);
  if (mapped === undefined) {
    leaveMentioned(draft, rules, found, `inside its file system; seen as ${seen}, which no rule moves`);
    return;
  }
  const newPoint = rules.map(whole.mountpoint)?.path ?? whole.mountpoint;
  const prefix = newPoint === "/" ? "/" : `${newPoint}/`;
  if (mapped.path.startsWith(prefix))
    setPath(
      draft,
      mapped.rule,
      found,
      `${whole.root === "/" ? "" : whole.root}/${mapped.path.slice(prefix.length)}`,
    );
  else leaveMentioned(draft, rules, found, `${mapped.path} would lie outside the file system it is in`, seen);
}

/** The mount with the shortest root that holds this one's. */
function widerMount(mounts: readonly MountBefore[], mount: MntEntry): MountBefore | undefined {
  let widest: MountBefore | undefined;
  for (const other of mounts) {
    if (other.root_dev !== mount.root_dev || other.root.length >= mount.root.length) continue;
    if (other.root !== "/" && !mount.root.startsWith(`${other.root}/`)) continue;
    if (widest === undefined || other.root.length < widest.root.length) widest = other;
  }
  return widest;
}

/** The mounts as they were before the first of them was moved. */
function mountsBefore(draft: Draft, image: CriuImage): readonly MountBefore[] {
  return draft.once(`mounts before remap: ${image.fileName}`, () =>
    image.records().map(({ value }) => ({ ...(value as MntEntry) })),
  );
}

function remapSource(draft: Draft, rules: PathRules<OwnedRule>, found: Found<VisitedField>): void {
  const mapped = rules.map(found.owner.source as string);
  if (mapped === undefined) leaveMentioned(draft, rules, found, "no path on this host that a rule moves");
  else setPath(draft, mapped.rule, found, mapped.path);
}

/** `key=path[:path...]` among the options, as overlayfs has them; text inside quotes is a label. */
function remapOptions(draft: Draft, rules: PathRules<OwnedRule>, found: Found<VisitedField>): void {
  const options = found.owner.options as string;
  let rule: OwnedRule | undefined;
  const moved = splitUnescaped(options, ",", true).map((option) => {
    const at = option.indexOf("=");
    if (at === -1 || option[at + 1] === '"') return option;
    const paths = splitUnescaped(option.slice(at + 1), ":", false).map((path) => {
      const mapped = rules.map(path.replace(/\\(.)/gs, "$1"));
      if (mapped === undefined) return path;
      rule = mapped.rule;
      return escapeOption(mapped.path, found);
    });
    return `${option.slice(0, at)}=${paths.join(":")}`;
  });
  if (rule === undefined) leaveMentioned(draft, rules, found, "no option with a path that a rule moves");
  else draft.change(rule.edit, found.image, found.record, found.path, moved.join(","));
}

/** Parts of `text` between separators that stand neither behind a backslash nor, with `quotes`, between quotes. */
function splitUnescaped(text: string, separator: string, quotes: boolean): string[] {
  const parts: string[] = [""];
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === "\\" && i + 1 < text.length) parts[parts.length - 1] += char + text[++i];
    else if (char === separator && !isQuoted) parts.push("");
    else {
      if (char === '"' && quotes) isQuoted = !isQuoted;
      parts[parts.length - 1] += char;
    }
  }
  return parts;
}

function escapeOption(path: string, found: Found<VisitedField>): string {
  if (path.includes('"'))
    throw new EditError(`${JSON.stringify(path)} cannot stand among mount options: it holds a quote`, {
      file: found.image.source.name,
      path: `[${found.record.index}].${formatPath(found.path)}`,
    });
  return path.replace(/[\\:,]/g, "\\$&");
}
