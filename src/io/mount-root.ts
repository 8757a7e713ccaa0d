import fs from "node:fs";
import path from "node:path";
import { fsPath, resolveInRoot } from "./rooted-path.js";

/**
 * The mount point of the file system of a path of an image, as a path of the image below `root`: the highest directory
 * above it with the same st_dev. A missing path counts as the nearest existing directory.
 */
export function mountRoot(root: string, imagePath: string): string {
  let directory = path.posix.normalize(`/${imagePath}`);
  let device: number | undefined;
  while (directory !== "/") {
    const above = path.posix.dirname(directory);
    const next = deviceOf(root, above);
    if (device !== undefined && next !== device) return directory;
    device = next;
    directory = above;
  }
  return "/";
}

function deviceOf(root: string, directory: string): number | undefined {
  const resolved = resolveInRoot(root, directory);
  return resolved === undefined ? undefined : fs.statSync(fsPath(resolved), { throwIfNoEntry: false })?.dev;
}
