import fs from "node:fs";
import path from "node:path";
import { CriuImage } from "./formats/criu/image.js";
import { CriuImageSet } from "./formats/criu/image-set.js";
import { type CrimgError, ioError, isCrimgError } from "./io/errors.js";
import { DirectoryFileSet } from "./io/file-set.js";
import { FileSource, MemorySource } from "./io/source.js";

/**
 * Opens one image file of a set. Its kind is told by its magic; the name counts only for raw images, which have none.
 * Errors: CrimgError MISSING or IO for a file that cannot be opened, FormatError for what is no image.
 */
export function openImageFile(file: string): CriuImage {
  return new CriuImage(new FileSource(file), path.basename(file));
}

/** An image whose bytes are in memory; `name` is for messages. Errors: FormatError for what is no image. */
export function openImageBytes(bytes: Buffer, name: string): CriuImage {
  return new CriuImage(new MemorySource(bytes, name), "");
}

/**
 * The images with records of a directory, in the order of their names, each opened when it is its turn; or the one
 * image file that the path names. What cannot be opened is told to `trouble` and left out.
 * Errors: CrimgError MISSING or IO when there is nothing to read at all.
 */
export function* openImages(target: string, trouble: (error: CrimgError) => void): Generator<CriuImage> {
  if (!isDirectory(target)) {
    yield openImageFile(target);
    return;
  }
  const set = new CriuImageSet(new DirectoryFileSet(target));
  try {
    for (const { name, kind } of set.files) {
      if (kind?.magic === undefined) continue;
      try {
        const image = set.imageNamed(name);
        if (image !== undefined) yield image;
      } catch (error) {
        if (!isCrimgError(error)) throw error;
        trouble(error);
      }
    }
  } finally {
    set.close();
  }
}

function isDirectory(target: string): boolean {
  try {
    return fs.statSync(target).isDirectory();
  } catch (error) {
    throw ioError("open it", target, error);
  }
}
