import fs from "node:fs";
import { readBuildId } from "../../../formats/elf/build-id.js";
import { globMatcher } from "../../../io/glob.js";
import { fsPath, resolveInRoot } from "../../../io/rooted-path.js";
import { FileSource } from "../../../io/source.js";
import { S_IFMT } from "../../../linux/files.js";
import { O_APPEND, O_WRONLY } from "../../../linux/open-flags.js";
import type { FileIdentity, OpenFile } from "../../../model/open-file.js";
import type { Editor } from "../editor.js";
import type { EditKind, Parsed } from "../kind.js";
import type { Edit } from "../plan.js";

/** `--accept-file GLOB`: what the restore checks becomes what the file is now. */
export const acceptFile: EditKind<string> = {
  name: "accept-file",
  syntax: "GLOB",
  summary: "take size, mode and build id of these files from the files as they now are under --root",
  parse: parsePattern,
  lookedFor: (glob) => `no open or mapped file that is there has a path that matches ${glob}`,
  plan: (edits, editor) => eachNamed(edits, editor, (edit, file) => acceptAsItIs(editor, edit, file)),
};

/** `--no-file-check GLOB`: the restore opens these files whatever they have become. */
export const noFileCheck: EditKind<string> = {
  name: "no-file-check",
  syntax: "GLOB",
  summary: "drop size, mode and build id of these files, so that the restore opens them unchecked",
  parse: parsePattern,
  lookedFor: (glob) => `no open or mapped file's path matches ${glob}`,
  plan: (edits, editor) => eachNamed(edits, editor, (edit, file) => dropChecks(editor, edit, file)),
};

/** Reads a pattern; a bad one is told at once. Errors: USAGE. */
function parsePattern(text: string): string {
  globMatcher(text);
  return text;
}

function eachNamed(
  edits: readonly Parsed<string>[],
  editor: Editor,
  visit: (edit: Edit, file: OpenFile) => void,
): void {
  for (const { edit, args } of edits) {
    const matches = globMatcher(args);
    for (const file of editor.namedFiles())
      if (file.path !== undefined && matches(file.path)) visit(edit, file);
  }
}

/** Takes away what the restore compares with the file on disk. */
export function dropChecks(editor: Editor, edit: Edit, file: OpenFile): void {
  editor.matched(edit);
  const identity = editor.identityOf(file);
  if (identity !== undefined) editor.dropIdentity(edit, identity);
}

/** Sets the checks of one file that the image holds to what the file is now; a file that is not there is warned of. */
export function acceptAsItIs(editor: Editor, edit: Edit, file: OpenFile): void {
  // A deleted file comes out of the image, whatever lies at its path now.
  if (file.deleted !== undefined) return;
  const identity = editor.identityOf(file);
  if (identity === undefined) {
    editor.matched(edit);
    return;
  }
  const { path = "" } = file;
  const root = editor.options.root ?? "/";
  const onDisk = resolveInRoot(root, path);
  const stat =
    onDisk === undefined ? undefined : fs.statSync(fsPath(onDisk), { bigint: true, throwIfNoEntry: false });
  const leave = (why: string): void => {
    const { origin } = file;
    const field = origin.field === undefined ? "" : `${origin.field}.name`;
    editor.leave(edit, { image: editor.imageOf(origin), record: origin.record, field, value: path, why });
  };
  if (onDisk === undefined || stat === undefined) {
    leave(`there is no such file under ${root}`);
    editor.warnings.add(`${path} is not there under ${root}, so there is nothing to accept`);
    return;
  }
  if (identity.mode !== undefined && (identity.mode & S_IFMT) !== (Number(stat.mode) & S_IFMT)) {
    leave("a file of another type now");
    editor.warnings.add(`${path} is a file of another type now; the program cannot go on with it`);
    return;
  }
  editor.matched(edit);
  const isSized = identity.size !== undefined && stat.isFile();
  if (isSized && identity.size !== stat.size) tellContents(editor, file, identity, stat.size);
  const isBuilt = identity.buildId !== undefined && stat.isFile();
  const now = {
    ...(identity.mode === undefined ? {} : { mode: Number(stat.mode) }),
    ...(identity.inode === undefined ? {} : { inode: { dev: stat.dev, ino: stat.ino } }),
    ...(isSized ? { size: stat.size } : {}),
    ...(identity.mtime === undefined ? {} : { mtime: stat.mtimeNs }),
    ...(isBuilt ? { buildId: buildIdOf(onDisk) } : {}),
  };
  if (isBuilt && now.buildId?.equals(identity.buildId as Buffer) !== true && editor.isMapped(file))
    editor.warnings.add(
      `${path} is mapped and is another build now: the restored program will jump to addresses of the old one and most likely crash`,
    );
  editor.changeObject(edit, "identity", identity, now, () => `the identity of ${path}`);
}

function buildIdOf(onDisk: string): Buffer | undefined {
  const source = new FileSource(onDisk);
  try {
    return readBuildId(source);
  } finally {
    source.close();
  }
}

/** Accepting a size never makes the contents right; only for an append-only log does that not matter. */
function tellContents(editor: Editor, file: OpenFile, identity: FileIdentity, size: bigint): void {
  const { path, position, flags = 0 } = file;
  const isLog =
    (flags & (O_WRONLY | O_APPEND)) !== 0 && ((flags & O_APPEND) !== 0 || position === identity.size);
  if (isLog) editor.notes.add(`${path} is a log that the program only appends to; it goes on at ${position}`);
  else
    editor.warnings.add(
      `${path} had ${identity.size} bytes and has ${size}: the program goes on at offset ${position ?? 0n} of contents it does not know`,
    );
}
