import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ioError, isCrimgError, UsageError } from "./errors.js";
import { PinnedDirectory, withPath } from "./pinned-directory.js";
import { removeAbandoned, temporaryName } from "./temporary.js";
import { tryRemoveDirectory } from "./try-remove.js";
import { Writers } from "./writers.js";

/**
 * Makes a directory that appears with all its files or not at all: `fill` writes to a temporary directory beside it, which
 * is then renamed; the path that `fill` gets refers to that directory even if others rename it. Only its owner can access
 * it, and the mode of `like` can restrict it further. Leftovers of killed runs for the same name are removed.
 * Errors: USAGE if `directory` exists and is not empty; IO.
 */
export function createDirectory<T>(
  directory: string,
  like: string | undefined,
  fill: (temporary: string) => T,
): T {
  assertFree(directory);
  const { dir, base } = path.parse(path.resolve(directory));
  const name = temporaryName(base);
  let parent: PinnedDirectory | undefined;
  let made: PinnedDirectory | undefined;
  try {
    removeAbandoned(dir, base);
    parent = PinnedDirectory.open(dir);
    fs.mkdirSync(parent.at(name), { mode: 0o700 });
    made = parent.directory(name);
    const { inside } = made;
    const result = withPath(inside, directory, () => fill(inside));
    if (like !== undefined) fs.fchmodSync(made.fd, fs.statSync(like).mode & 0o700);
    assertFree(directory);
    fs.renameSync(parent.at(name), parent.at(base));
    return result;
  } catch (error) {
    if (made !== undefined) removeMade(made, parent?.at(name) ?? "");
    throw isCrimgError(error) ? error : ioError("create the directory", directory, error);
  } finally {
    made?.close();
    parent?.close();
  }
}

/** Removes a directory by what was opened: others may have given its name to another one of the caller. */
function removeMade(made: PinnedDirectory, at: string): void {
  try {
    for (const each of made.names()) made.remove(each);
  } catch {
    // Why the run failed is what is told.
  }
  tryRemoveDirectory(at);
}

/**
 * Makes a temporary directory in another one; those of killed processes are removed. Errors: those of the system.
 */
export function temporaryDirectory(parent: string, name: string): string {
  removeAbandoned(parent, name);
  const directory = path.join(parent, temporaryName(name));
  fs.mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/**
 * A temporary directory beside an image, where blocks can be shared and there is enough room; or in the system's
 * temporary directory, if the image is not a file or others could rename files beside it. Errors: those of the system.
 */
export function temporaryBeside(image: string): string {
  const directory = trustedDirectoryOf(image);
  if (directory !== undefined)
    try {
      return temporaryDirectory(directory, path.basename(fs.realpathSync(image)));
    } catch {
      // The directory is not writable.
    }
  return temporaryDirectory(os.tmpdir(), "restore");
}

/** The directory of an image, if only root and the caller can rename or replace files on its path. */
export function trustedDirectoryOf(image: string): string | undefined {
  try {
    const directory = path.dirname(fs.realpathSync(image));
    const writers = new Writers(process.geteuid?.() ?? 0);
    writers.addPath(directory);
    return writers.all.length === 0 ? directory : undefined;
  } catch {
    return undefined; // a pipe, or a missing file
  }
}

function assertFree(directory: string): void {
  let names: string[];
  try {
    names = fs.readdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code === "ENOTDIR")
      throw new UsageError("exists and is not a directory; name a new one", { file: directory });
    throw ioError("read", directory, error);
  }
  if (names.length > 0)
    throw new UsageError("directory exists and is not empty; name a new one", { file: directory });
}
