import fs from "node:fs";
import path from "node:path";
import { ioError, UsageError } from "./errors.js";
import { PinnedDirectory, withPath } from "./pinned-directory.js";
import { removeAbandoned, temporaryName } from "./temporary.js";
import { tryRemove } from "./try-remove.js";

/**
 * Creates or replaces a file atomically: `fill` creates a temporary file beside it, which is then renamed; a symbolic link
 * of that name is replaced, not followed. The directory is held open, so that the file is created in it even if others
 * rename directories meanwhile. `fill` may use other members of the directory. Temporary files of killed runs of the same
 * name are removed. With `isNew` no file is
 * replaced. Errors: those of `fill`; USAGE; IO.
 */
export function createFile<T>(
  file: string,
  fill: (temporary: string, beside: PinnedDirectory) => T,
  { isNew = false }: { readonly isNew?: boolean } = {},
): T {
  const { dir, base } = path.parse(path.resolve(file));
  removeAbandoned(dir, base);
  const parent = PinnedDirectory.open(dir);
  const name = temporaryName(base);
  try {
    const make = (): T => withPath(parent.at(name), file, () => fill(parent.at(name), parent));
    const result = withPath(parent.at(""), `${dir}/`, make);
    if (isNew && parent.stat(base) !== undefined)
      throw new UsageError("the file exists now; name a new one", { file });
    fs.renameSync(parent.at(name), parent.at(base));
    parent.sync();
    return result;
  } catch (error) {
    tryRemove(parent.at(name));
    throw error instanceof Error && "syscall" in error ? ioError("write", file, error) : error;
  } finally {
    parent.close();
  }
}
