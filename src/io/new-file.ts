import fs from "node:fs";
import path from "node:path";
import { ioError } from "./errors.js";
import { PinnedDirectory, withPath } from "./pinned-directory.js";
import { removeAbandoned, temporaryName } from "./temporary.js";

/**
 * Makes a file, or replaces one, that is there whole or not at all: `fill` makes a file under a temporary name beside it,
 * which then takes the name; a link of that name is replaced, not followed. Its directory is held open, so that the file
 * stays in it whatever others rename meanwhile. `fill` may ask for other members of that directory. What runs of the same
 * name that were killed left behind is removed. Errors: those of `fill`; IO.
 */
export function createFile<T>(file: string, fill: (temporary: string, beside: PinnedDirectory) => T): T {
  const { dir, base } = path.parse(path.resolve(file));
  removeAbandoned(dir, base);
  const parent = PinnedDirectory.open(dir);
  const name = temporaryName(base);
  try {
    const result = withPath(parent.at(name), file, () => fill(parent.at(name), parent));
    fs.renameSync(parent.at(name), parent.at(base));
    parent.sync();
    return result;
  } catch (error) {
    fs.rmSync(parent.at(name), { force: true });
    throw error instanceof Error && "syscall" in error ? ioError("write it", file, error) : error;
  } finally {
    parent.close();
  }
}
