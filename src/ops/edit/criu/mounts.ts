import type { CriuImage } from "../../../formats/criu/image.js";
import { MNT_ENTRY, type MntEntry } from "../../../formats/criu/tables/mnt.js";
import { EditError } from "../../../io/errors.js";
import type { Field, MessageTable } from "../../../schema/message.js";
import { formatPath } from "../../../schema/patch.js";
import type { VisitedField } from "../../../schema/visit.js";
import type { OwnedRule, PathRules } from "../path-rules.js";
import { type FoundRecord, pathFieldOf, type SetRecords } from "./set-records.js";
import { holdsPath } from "./similar.js";

type Mount = FoundRecord & VisitedField;

/** Moves `root`, `source` and `options` of mounts; `mountpoint` is a path like any other. */
export function remapMounts(editor: SetRecords, rules: PathRules<OwnedRule>): void {
  const wants = (field: Field, name: string, table: MessageTable): boolean =>
    table === MNT_ENTRY && name !== "mountpoint" && holdsPath(field);
  editor.eachField(wants, (found) => {
    if (found.name === "root") remapRoot(editor, rules, found);
    else if (found.name === "source") remapSource(editor, rules, found);
    else remapOptions(editor, rules, found);
  });
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
function remapRoot(editor: SetRecords, rules: PathRules<OwnedRule>, found: Mount): void {
  const mount = found.owner as MntEntry;
  if (!mount.root.startsWith("/") || mount.root === "/") return;
  const whole = widerMount(mountsBefore(editor, found.image), mount);
  if (whole === undefined) {
    const mapped = rules.map(mount.root);
    if (mapped === undefined)
      editor.leaveMentioned(rules, pathFieldOf(found), "not OLD itself and not below it");
    else editor.changePath(mapped.rule.edit, pathFieldOf(found), mapped.path);
    return;
  }
  const inside = whole.root === "/" ? mount.root : mount.root.slice(whole.root.length);
  const seen = (whole.mountpoint === "/" ? "" : whole.mountpoint) + inside;
  const mapped = rules.map(seen);
  if (mapped === undefined) {
    editor.leaveMentioned(
      rules,
      pathFieldOf(found),
      `inside its file system; seen as ${seen}, which no rule moves`,
    );
    return;
  }
  const newPoint = rules.map(whole.mountpoint)?.path ?? whole.mountpoint;
  const prefix = newPoint === "/" ? "/" : `${newPoint}/`;
  if (mapped.path.startsWith(prefix))
    editor.changePath(
      mapped.rule.edit,
      pathFieldOf(found),
      `${whole.root === "/" ? "" : whole.root}/${mapped.path.slice(prefix.length)}`,
    );
  else
    editor.leaveMentioned(
      rules,
      pathFieldOf(found),
      `${mapped.path} would lie outside the file system it is in`,
      seen,
    );
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
function mountsBefore(editor: SetRecords, image: CriuImage): readonly MountBefore[] {
  return editor.once(`mounts before remap: ${image.fileName}`, () =>
    image.records().map(({ value }) => ({ ...(value as MntEntry) })),
  );
}

function remapSource(editor: SetRecords, rules: PathRules<OwnedRule>, found: Mount): void {
  const mapped = rules.map(found.owner.source as string);
  if (mapped === undefined)
    editor.leaveMentioned(rules, pathFieldOf(found), "no path on this host that a rule moves");
  else editor.changePath(mapped.rule.edit, pathFieldOf(found), mapped.path);
}

/** `key=path[:path...]` among the options, as overlayfs has them; text inside quotes is a label. */
function remapOptions(editor: SetRecords, rules: PathRules<OwnedRule>, found: Mount): void {
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
  if (rule === undefined)
    editor.leaveMentioned(rules, pathFieldOf(found), "no option with a path that a rule moves");
  else editor.change(rule.edit, found, found.path, moved.join(","));
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

function escapeOption(path: string, found: Mount): string {
  if (path.includes('"'))
    throw new EditError(`${JSON.stringify(path)} cannot stand among mount options: it holds a quote`, {
      file: found.image.source.name,
      path: `[${found.record.index}].${formatPath(found.path)}`,
    });
  return path.replace(/[\\:,]/g, "\\$&");
}
