import fs from "node:fs";
import { BackendError, isCrimgError } from "../io/errors.js";
import type { OutputName } from "../io/private-file.js";

/** Writes the pid of the root task of running tasks. Errors: BackendError, which says that they run. */
export function writePid(file: OutputName, pid: number): void {
  try {
    const fd = file.openReadable();
    try {
      fs.writeSync(fd, `${pid}\n`);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    const { code = "error" } = error as NodeJS.ErrnoException;
    const why = isCrimgError(error) ? error.text : code;
    throw new BackendError(`the tasks run (root pid ${pid}), but the pid cannot be written: ${why}`, {
      file: file.path,
      cause: error,
    });
  }
}
