import fs from "node:fs";
import path from "node:path";
import { bytesToText, hasRawBytes, textToBytes } from "./text.js";

/** As many symbolic links as Linux follows in one path. */
const MAX_LINKS = 40;

/**
 * A path of an image resolved below `root`, as by chroot(2): symbolic links are followed, absolute ones from `root`, and
 * `..` does not leave it. Undefined if the path does not exist or has a symbolic link loop.
 */
export function resolveInRoot(root: string, imagePath: string): string | undefined {
  const todo = imagePath.split("/").reverse();
  let inside = "";
  let links = 0;
  while (todo.length > 0) {
    const part = todo.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      inside = inside.slice(0, Math.max(0, inside.lastIndexOf("/")));
      continue;
    }
    const next = `${inside}/${part}`;
    const link = readLink(root + next);
    if (link === null) return undefined;
    if (link === undefined) {
      inside = next;
      continue;
    }
    if (++links > MAX_LINKS) return undefined;
    if (link.startsWith("/")) inside = "";
    todo.push(...link.split("/").reverse());
  }
  return path.join(root, inside);
}

/** The target of a symbolic link; undefined for any other file, null if missing. */
function readLink(file: string): string | undefined | null {
  try {
    const name = fsPath(file);
    return fs.lstatSync(name).isSymbolicLink() ? bytesToText(fs.readlinkSync(name, "buffer")) : undefined;
  } catch {
    return null;
  }
}

/** A path for Node's fs functions: as bytes if it is not UTF-8 (see text.ts). */
export function fsPath(text: string): string | Buffer {
  return hasRawBytes(text) ? textToBytes(text) : text;
}
