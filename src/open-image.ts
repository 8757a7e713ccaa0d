import fs from "node:fs";
import path from "node:path";
import { isatty } from "node:tty";
import { CriuImage } from "./formats/criu/image.js";
import { CriuImageSet } from "./formats/criu/image-set.js";
import { LinuxCrImage } from "./formats/linux-cr/image.js";
import { isStream } from "./formats/linux-cr/scan.js";
import { type CrimgError, FormatError, ioError, isCrimgError, UsageError } from "./io/errors.js";
import { DirectoryFileSet } from "./io/file-set.js";
import { assertNotInterrupted } from "./io/interrupted-edit.js";
import { MAX_PIPED_IMAGE_BYTES } from "./io/limits.js";
import { PipeSource } from "./io/pipe-source.js";
import { FileSource, MemorySource } from "./io/source.js";
import { assertSetUnchanged, type OpenOptions } from "./open.js";
import { setPlace } from "./ops/edit/place.js";

/**
 * Opens one image file of a set. Its kind is told by its magic; the name counts only for raw images, which have none.
 * Errors: CrimgError MISSING or IO for a file that cannot be opened, FormatError for what is no image.
 */
export function openImageFile(file: string): CriuImage {
  return new CriuImage(new FileSource(file), path.basename(file));
}

/**
 * Opens the image in a file, of a CRIU set or a linux-cr stream, or on stdin when no file is named. Of a stream on stdin
 * the saved pages can be read only with `keepPages`, which holds all of it in memory.
 * Errors: as `openImageFile`; FormatError TOO_LARGE for what is too large to be piped and held.
 */
export function openAnyImage(
  file: string | undefined,
  { keepPages = false }: { readonly keepPages?: boolean } = {},
): CriuImage | LinuxCrImage {
  if (file !== undefined) {
    const source = new FileSource(file);
    return isStream(source) ? new LinuxCrImage(source) : new CriuImage(source, path.basename(file));
  }
  if (isatty(0)) throw new UsageError("name an input file, or pipe the input into stdin");
  const pipe = new PipeSource(0, "stdin");
  const isPipedStream = isStream(pipe);
  if (isPipedStream && !keepPages) return new LinuxCrImage(pipe);
  if (pipe.reach(MAX_PIPED_IMAGE_BYTES + 1) > MAX_PIPED_IMAGE_BYTES)
    throw new FormatError(
      "TOO_LARGE",
      `the input is longer than ${MAX_PIPED_IMAGE_BYTES} bytes; store it and name the file`,
      { file: pipe.name },
    );
  const bytes = pipe.read(0, pipe.size);
  return isPipedStream
    ? new LinuxCrImage(new MemorySource(bytes, pipe.name))
    : openImageBytes(bytes, pipe.name);
}

/** The linux-cr stream in a regular file; undefined for anything else, also for what cannot be opened. */
export function openStreamFile(file: string): LinuxCrImage | undefined {
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  const source = new FileSource(file);
  if (isStream(source)) return new LinuxCrImage(source);
  source.close();
  return undefined;
}

/** An image whose bytes are in memory; `name` is for messages. Errors: FormatError for what is no image. */
export function openImageBytes(bytes: Buffer, name: string): CriuImage {
  return new CriuImage(new MemorySource(bytes, name), "");
}

/**
 * The images with records of a directory, in the order of their names, each opened when it is its turn; or the one
 * image file that the path names. What cannot be opened is told to `trouble` and left out.
 * Errors: CrimgError MISSING or IO when there is nothing to read at all; EDIT as openDocument.
 */
export function* openImages(
  target: string,
  trouble: (error: CrimgError) => void,
  { onWarning }: Pick<OpenOptions, "onWarning"> = {},
): Generator<CriuImage> {
  if (!isDirectory(target)) {
    yield openImageFile(target);
    return;
  }
  const doubt = assertNotInterrupted(setPlace(target));
  if (doubt !== undefined) onWarning?.(doubt);
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
    assertSetUnchanged(set.fileSet);
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
