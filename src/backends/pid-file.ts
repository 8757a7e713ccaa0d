import { writeFileSync } from "node:fs";
import { BackendError } from "../io/errors.js";

/** Writes the pid of the root task of running tasks. Errors: BackendError, which says that they run. */
export function writePid(file: string, pid: number): void {
  try {
    writeFileSync(file, `${pid}\n`);
  } catch (error) {
    throw new BackendError(
      `the tasks run (root pid ${pid}), but the pid cannot be written: ${(error as Error).message}`,
      { file, cause: error },
    );
  }
}
