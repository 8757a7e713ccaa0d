import fs from "node:fs";
import path from "node:path";
import { isatty } from "node:tty";
import { CriuImage } from "./formats/criu/image.js";
import { CriuImageSet, isCriuSet } from "./formats/criu/image-set.js";
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
import { memberNamed, packageIn, packageOrBytes, setOfPackage } from "./packaged-set.js";

/**
 * Opens one image file of a set. Its kind is determined by its magic; the name matters only for raw images, which have
 * none. Errors: CrimgError MISSING or IO for a file that cannot be opened, FormatError if it is not an image.
 */
export function openImageFile(file: string): CriuImage {
  return new CriuImage(new FileSource(file), path.basename(file));
}

/**
 * Opens an image of a CRIU set or a linux-cr stream, from a file, from a member of an archive, as `ARCHIVE//PATH`, or,
 * without one, from stdin. The saved pages of a stream
 * on stdin can be read only with `keepPages`, which holds all of it in memory.
 * Errors: as `openImageFile`; FormatError TOO_LARGE if too large to be held in memory.
 */
export function openAnyImage(
  file: string | undefined,
  { keepPages = false }: { readonly keepPages?: boolean } = {},
): CriuImage | LinuxCrImage {
  if (file !== undefined) {
    const source = memberNamed(file) ?? new FileSource(file);
    return isStream(source) ? new LinuxCrImage(source) : new CriuImage(source, path.basename(file));
  }
  if (isatty(0)) throw new UsageError("missing input: name a file, or pipe it to stdin");
  const pipe = new PipeSource(0, "stdin");
  const isPipedStream = isStream(pipe);
  if (isPipedStream && !keepPages) return new LinuxCrImage(pipe);
  if (pipe.reach(MAX_PIPED_IMAGE_BYTES + 1) > MAX_PIPED_IMAGE_BYTES)
    throw new FormatError(
      "TOO_LARGE",
      `piped input too large (more than ${MAX_PIPED_IMAGE_BYTES} bytes); use a file`,
      { file: pipe.name },
    );
  const bytes = pipe.read(0, pipe.size);
  return isPipedStream
    ? new LinuxCrImage(new MemorySource(bytes, pipe.name))
    : openImageBytes(bytes, pipe.name);
}

/** The linux-cr stream in a regular file; undefined for anything else, including a file that cannot be opened. */
export function openStreamFile(file: string): LinuxCrImage | undefined {
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  const source = new FileSource(file);
  if (isStream(source)) return new LinuxCrImage(source);
  source.close();
  return undefined;
}

/** An image in memory; `name` is for messages. Errors: FormatError if it is not an image. */
export function openImageBytes(bytes: Buffer, name: string): CriuImage {
  return new CriuImage(new MemorySource(bytes, name), "");
}

/**
 * The images with records of a directory, in the order of their names, opened one by one; or the one image file at the
 * path. Errors of single images are passed to `trouble`.
 * Errors: CrimgError MISSING or IO if nothing can be read; EDIT as openDocument.
 */
export function* openImages(
  target: string,
  trouble: (error: CrimgError) => void,
  { onWarning }: Pick<OpenOptions, "onWarning"> = {},
): Generator<CriuImage> {
  const member = memberNamed(target);
  if (member !== undefined) {
    yield new CriuImage(member, path.basename(target));
    return;
  }
  const set = setOf(target, onWarning);
  if (set === undefined) {
    yield openImageFile(target);
    return;
  }
  if (!set.files.some(({ kind }) => kind !== undefined))
    throw new FormatError("INVALID", "not a checkpoint image directory (no image files)", { file: target });
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

/** The set in a directory or an archive; undefined for another file. A directory need not hold all of a set. */
function setOf(target: string, onWarning: OpenOptions["onWarning"]): CriuImageSet | undefined {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(target);
  } catch (error) {
    throw ioError("open", target, error);
  }
  if (!stat.isDirectory()) {
    const { found } = packageOrBytes(new FileSource(target));
    return found && new CriuImageSet(setOfPackage(found, "", target).files);
  }
  const doubt = assertNotInterrupted(setPlace(target));
  if (doubt !== undefined) onWarning?.(doubt);
  const files = new DirectoryFileSet(target);
  const found = isCriuSet(files) ? undefined : packageIn(target);
  return new CriuImageSet(found === undefined ? files : setOfPackage(found, "", target).files);
}
