import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ioError, isCrimgError, UnsupportedError } from "../../io/errors.js";
import { DirectoryFileSet, type FileSet } from "../../io/file-set.js";
import type { ByteSource } from "../../io/source.js";
import { writeSource } from "../../io/write-file.js";
import type { CriuDocument } from "../../model/document.js";
import type { TemporarySet } from "./apply.js";
import { splicedFiles } from "./check.js";
import type { Plan } from "./plan.js";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/**
 * A set, with its parents, that nobody else can change: copied where temporary files go, for its directory may belong to
 * somebody who changes it while it is checked. No link in it is followed. `plan`: edits of the copy. Errors: IO, UNSUPPORTED for a set that is not a directory.
 */
export function privateCopy(document: CriuDocument, plan: Plan | undefined): TemporarySet {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "crimg-restore-"));
  const remove = (): void => fs.rmSync(directory, { recursive: true, force: true });
  try {
    const { fileSet } = document.set;
    copyInto(directory, fileSet, plan === undefined ? new Map() : splicedFiles(fileSet, plan.splices));
  } catch (error) {
    remove();
    throw error;
  }
  return { directory, remove };
}

function copyInto(to: string, files: FileSet, changed: ReadonlyMap<string, ByteSource | null>): void {
  if (!(files instanceof DirectoryFileSet))
    throw new UnsupportedError("only image sets in a directory can be copied", { file: files.name });
  const from = fs.openSync(fs.realpathSync(files.directory), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    for (const name of files.names())
      if (!changed.has(name)) copyFile(`/proc/self/fd/${from}/${name}`, path.join(to, name), name);
  } finally {
    fs.closeSync(from);
  }
  for (const [name, content] of changed)
    if (content !== null) writeSource(path.join(to, name), content, { sync: false });
  const parent = files.parent();
  if (parent === undefined) return;
  fs.mkdirSync(path.join(to, "parent"), { mode: 0o700 });
  copyInto(path.join(to, "parent"), parent, new Map());
}

/** The file that is opened is the one that is copied, whatever takes its name meanwhile. */
function copyFile(from: string, to: string, name: string): void {
  let fd: number | undefined;
  try {
    fd = fs.openSync(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fs.fstatSync(fd).isFile()) throw new UnsupportedError("not a regular file", { file: name });
    fs.copyFileSync(`/proc/self/fd/${fd}`, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("copy it", name, error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
