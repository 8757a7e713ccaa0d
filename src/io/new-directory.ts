import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ioError, isCrimgError, UsageError } from "./errors.js";
import { PinnedDirectory, withPath } from "./pinned-directory.js";
import { removeAbandoned, temporaryName } from "./temporary.js";
import { Writers } from "./writers.js";

/**
 * Makes a directory that is there with all its files or not at all: `fill` writes into a directory beside it, which
 * then takes the name; the path it gets stays with that directory, whatever others rename meanwhile. It is for its owner
 * alone, and tighter where `like` is. What runs of the same name that were killed left behind is removed.
 * Errors: USAGE when `directory` exists and is not empty; IO.
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
    if (made !== undefined && parent?.stat(name) !== undefined) parent.remove(name);
    throw isCrimgError(error) ? error : ioError("make the new directory", directory, error);
  } finally {
    made?.close();
    parent?.close();
  }
}

/**
 * Makes a directory in another one that lives only as long as this process wants it; those of processes that were killed
 * are removed. Errors: those of the system.
 */
export function temporaryDirectory(parent: string, name: string): string {
  removeAbandoned(parent, name);
  const directory = path.join(parent, temporaryName(name));
  fs.mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/**
 * A temporary directory beside an image, where blocks can be shared and there is room for as much; or where temporary files
 * go, when the image is no file of its own or others could move things about there. Errors: those of the system.
 */
export function temporaryBeside(image: string): string {
  const directory = trustedDirectoryOf(image);
  if (directory !== undefined)
    try {
      return temporaryDirectory(directory, path.basename(fs.realpathSync(image)));
    } catch {
      // Nothing can be written there.
    }
  return temporaryDirectory(os.tmpdir(), "restore");
}

/** The directory that an image lies in, when only root and the caller can put things in the place of others on its path. */
export function trustedDirectoryOf(image: string): string | undefined {
  try {
    const directory = path.dirname(fs.realpathSync(image));
    const writers = new Writers(process.geteuid?.() ?? 0);
    writers.addPath(directory);
    return writers.all.length === 0 ? directory : undefined;
  } catch {
    return undefined; // a pipe, or nothing
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
      throw new UsageError("it exists and is no directory; name a new one", { file: directory });
    throw ioError("look into it", directory, error);
  }
  if (names.length > 0)
    throw new UsageError("the directory exists and is not empty; name a new one", { file: directory });
}
