import fs from "node:fs";
import { UsageError } from "../../io/errors.js";
import { stampOf } from "../../io/source.js";

/** Errors: USAGE when there is something under the name of a new file; `at` is a path to it. */
export function assertFree(file: string, at: string = file): void {
  if (fs.lstatSync(at, { throwIfNoEntry: false }) !== undefined)
    throw new UsageError("the file exists; name a new one, or edit it --in-place", { file });
}

/** The stamp of the file at a path; empty if there is none. */
export function stampAt(file: string): string {
  const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : stampOf(stat);
}
