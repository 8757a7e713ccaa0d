import fs from "node:fs";

/** Whether two paths are one inode, so that equal offsets hold equal bytes. False if stat(2) fails. */
export function isSameFile(left: string, right: string): boolean {
  try {
    const [a, b] = [fs.statSync(left, { bigint: true }), fs.statSync(right, { bigint: true })];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
