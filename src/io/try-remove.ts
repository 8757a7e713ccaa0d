import fs from "node:fs";

/** Removes a file of a run that has failed, if it can: why the run failed is what is told. */
export function tryRemove(file: string | Buffer): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // The next run removes it, or tells why it cannot.
  }
}

/** The same for an empty directory; one that others renamed stays. */
export function tryRemoveDirectory(directory: string): void {
  try {
    fs.rmdirSync(directory);
  } catch {
    // As above.
  }
}
