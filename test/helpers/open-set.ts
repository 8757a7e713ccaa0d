import { DirectoryFileSet } from "../../src/io/file-set.js";
import type { CriuDocument } from "../../src/model/document.js";
import { openFileSet } from "../../src/open.js";

/** The CRIU image set in a directory. */
export function openSet(directory: string): CriuDocument {
  return openFileSet(new DirectoryFileSet(directory));
}
