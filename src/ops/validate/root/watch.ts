import fs from "node:fs";
import { globMatcher } from "../../../io/glob.js";
import { isMissing, type RootTree } from "./tree.js";

const SPECIAL = /[\\*?[{]/;
/** A pattern such as /** over a whole machine ends here. */
const MAX_ENTRIES = 1_000_000;

/** Paths below the root that match a pattern of the image's view. Symbolic links to directories are not entered. */
export function* filesLike(tree: RootTree, pattern: string): Generator<string> {
  if (!SPECIAL.test(pattern)) {
    if (!isMissing(tree.find(pattern))) yield pattern;
    return;
  }
  const matches = globMatcher(pattern);
  const todo = [fixedPart(pattern)];
  let seen = 0;
  for (let directory = todo.pop(); directory !== undefined; directory = todo.pop())
    for (const entry of entriesOf(tree, directory)) {
      if (++seen > MAX_ENTRIES) return;
      const path = `${directory === "/" ? "" : directory}/${entry.name}`;
      if (matches(path)) yield path;
      if (entry.isDirectory()) todo.push(path);
    }
}

/** The directory in front of the first component with a special character. */
function fixedPart(pattern: string): string {
  const parts = pattern.split("/");
  const first = parts.findIndex((part) => SPECIAL.test(part));
  return parts.slice(0, first).join("/") || "/";
}

function entriesOf(tree: RootTree, directory: string): fs.Dirent[] {
  const found = tree.find(directory);
  if (isMissing(found)) return [];
  try {
    return fs.readdirSync(found.path, { withFileTypes: true });
  } catch {
    return [];
  }
}
