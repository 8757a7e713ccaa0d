import fs from "node:fs";
import path from "node:path";
import { CrimgError, ioError, UsageError } from "./errors.js";
import { isOwnerAlive, ownerToken } from "./owner.js";

/**
 * Makes a directory that is there with all its files or not at all: `fill` writes into a directory beside it, which
 * then takes the name. It is for its owner alone, and tighter where `like` is. What runs of
 * the same name that were killed left behind is removed. Errors: USAGE when `directory` exists and is not empty; IO.
 */
export function createDirectory<T>(
  directory: string,
  like: string | undefined,
  fill: (temporary: string) => T,
): T {
  assertFree(directory);
  const parent = path.dirname(path.resolve(directory));
  const prefix = `.${path.basename(path.resolve(directory))}.crimg-`;
  const temporary = path.join(parent, prefix + ownerToken());
  try {
    removeAbandoned(parent, prefix);
    fs.mkdirSync(temporary, { mode: 0o700 });
  } catch (error) {
    throw ioError("make the new directory", directory, error);
  }
  try {
    const result = fill(temporary);
    if (like !== undefined) fs.chmodSync(temporary, fs.statSync(like).mode & 0o700);
    assertFree(directory);
    fs.renameSync(temporary, directory);
    return result;
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    throw error instanceof CrimgError ? error : ioError("make the new directory", directory, error);
  }
}

let made = 0;

/**
 * Makes a directory beside others that lives only as long as this process wants it; those of processes that were killed
 * are removed. Errors: those of the system.
 */
export function temporaryDirectory(parent: string, name: string): string {
  const prefix = `.${name}.crimg-`;
  removeAbandoned(parent, prefix);
  const directory = path.join(parent, `${prefix}${ownerToken()}-${made++}`);
  fs.mkdirSync(directory, { mode: 0o700 });
  return directory;
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

function removeAbandoned(parent: string, prefix: string): void {
  for (const name of fs.readdirSync(parent))
    if (name.startsWith(prefix) && !isOwnerAlive(name.slice(prefix.length)))
      fs.rmSync(path.join(parent, name), { recursive: true, force: true });
}
