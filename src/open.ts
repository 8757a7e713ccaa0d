import fs from "node:fs";
import { CriuImageSet, isCriuSet } from "./formats/criu/image-set.js";
import { FormatError, ioError } from "./io/errors.js";
import { DirectoryFileSet, type FileSet } from "./io/file-set.js";
import { recoverInPlace } from "./io/in-place.js";
import { criuCheckpoint } from "./model/criu/checkpoint.js";
import type { Document } from "./model/document.js";
import { lazy } from "./model/lazy.js";

/**
 * Opens a checkpoint image by its content: a directory with a CRIU image set. An edit in place that was interrupted
 * is finished or taken back first.
 * Errors: CrimgError MISSING for no such path, FormatError INVALID for what is no checkpoint image.
 */
export function openDocument(path: string): Document {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    throw ioError("open the image", path, error);
  }
  if (!stat.isDirectory())
    throw new FormatError(
      "INVALID",
      "this is a single file; a checkpoint is the directory that holds inventory.img (single images: crimg decode, crimg dump)",
      {
        file: path,
      },
    );
  recoverInPlace(path);
  return openFileSet(new DirectoryFileSet(path));
}

/** Opens the image in a set of files, also one that is not (yet) on disk. */
export function openFileSet(files: FileSet): Document {
  if (!isCriuSet(files))
    throw new FormatError(
      "INVALID",
      "no checkpoint image here: neither inventory.img nor pstree.img is among the files",
      {
        file: files.name,
      },
    );
  const set = new CriuImageSet(files);
  const checkpoint = lazy(() => criuCheckpoint(set));
  return {
    family: "criu",
    name: files.name,
    set,
    get checkpoint() {
      return checkpoint();
    },
    close: () => set.close(),
  };
}
