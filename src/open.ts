import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isatty } from "node:tty";
import { CriuImageSet, isCriuSet } from "./formats/criu/image-set.js";
import { LinuxCrImage } from "./formats/linux-cr/image.js";
import { isStream } from "./formats/linux-cr/scan.js";
import { EditError, FormatError, ioError, isCrimgError, UsageError } from "./io/errors.js";
import { DirectoryFileSet, type FileSet } from "./io/file-set.js";
import { assertNotInterrupted } from "./io/interrupted-edit.js";
import { PipeSource } from "./io/pipe-source.js";
import { type ByteSource, CHANGED, FileSource } from "./io/source.js";
import { SpoolSource } from "./io/spool.js";
import { UnpackedSource } from "./io/unpacked-source.js";
import { criuCheckpoint } from "./model/criu/checkpoint.js";
import type { CriuDocument, Document, LinuxCrDocument, Packaged } from "./model/document.js";
import { lazy } from "./model/lazy.js";
import { linuxCrCheckpoint } from "./model/linux-cr/checkpoint.js";
import { StreamReader } from "./model/linux-cr/reader.js";
import { EDIT_LOG } from "./ops/edit/log.js";
import { editPlaceOf, setPlace } from "./ops/edit/place.js";
import { packageIn, packageOrBytes, refuseForeign, setOfPackage, splitName } from "./packaged-set.js";

export interface OpenOptions {
  /** Directory in which a pipe is spooled to an unlinked file, for reading in any order. */
  readonly spoolIn?: string | undefined;
  /** Called with one sentence about an untrusted edit journal beside the image. */
  readonly onWarning?: ((sentence: string) => void) | undefined;
  /** Called with a function to call after reading: `assertUnchanged` of the document. */
  readonly onOpened?: ((assertUnchanged: () => void) => void) | undefined;
}

/**
 * Opens a checkpoint image by its content: a CRIU image set in a directory or in an archive of an engine, as `ARCHIVE` or
 * `ARCHIVE//PATH`, or a linux-cr stream; files also from a named pipe or, as `-`, from stdin. Changes nothing in or beside
 * the image.
 * Errors: CrimgError MISSING for no such path, FormatError INVALID if it is not a checkpoint image, EDIT if an edit in
 * place was interrupted when some files were replaced and others were not.
 */
export function openDocument(image: string, options: OpenOptions = {}): Document {
  const document = open(image, options);
  options.onOpened?.(() => assertUnchanged(document));
  return document;
}

/**
 * Checks that no edit in place changed a set while it was read, which would have mixed old and new files. A stream is one
 * file, which stays open. Errors: EDIT.
 */
export function assertUnchanged(document: Document): void {
  if (document.family === "criu") assertSetUnchanged(document.set.fileSet);
}

/** The same for the files of a set. Errors: EDIT. */
export function assertSetUnchanged(files: FileSet): void {
  if (!(files instanceof DirectoryFileSet)) return;
  for (const set of files.touched()) {
    assertNotInterrupted(setPlace(set.directory));
    // The first edit adds the log to the set, as a regular file.
    const log = fs.lstatSync(path.join(set.directory, EDIT_LOG), { throwIfNoEntry: false });
    const isListed = set.names().includes(EDIT_LOG) || log?.isFile() !== true;
    if (!isListed || set.replacedFile() !== undefined) throw new EditError(CHANGED, { file: set.name });
  }
}

function open(image: string, { spoolIn, onWarning }: OpenOptions): Document {
  if (image === "-") {
    if (isatty(0)) throw new UsageError("missing image: name one, or pipe it to stdin");
    return openPipe(0, "stdin", spoolIn, onWarning);
  }
  const { file, path: inside } = splitName(image);
  let stat: fs.Stats;
  try {
    stat = fs.statSync(file);
  } catch (error) {
    throw ioError("open the image", file, error);
  }
  const place = editPlaceOf(file, stat);
  const doubt = place && assertNotInterrupted(place);
  if (doubt !== undefined) onWarning?.(doubt);
  if (stat.isDirectory()) return openDirectory(file, inside, image);
  if (stat.isFile()) return openSource(new FileSource(file), inside, image, onWarning);
  try {
    return openPipe(fs.openSync(file, "r"), file, spoolIn, onWarning);
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("open the image", file, error);
  }
}

/** A set in a directory is opened as it is; for one without, what an engine keeps there. */
function openDirectory(directory: string, inside: string, name: string): CriuDocument {
  const files = new DirectoryFileSet(directory);
  const found = packageIn(directory);
  if (inside !== "" || !isCriuSet(files)) {
    if (found === undefined) return openFileSet(files);
    const opened = setOfPackage(found, inside, name);
    return openFileSet(opened.files, opened.packaged);
  }
  const [set] = found?.sets ?? [];
  const isPlain = found === undefined || set === undefined || set.form === "sets";
  return openFileSet(files, isPlain ? undefined : { package: found, set, isDirectory: true });
}

/** A linux-cr stream or an archive, compressed or not. Errors: FormatError INVALID for anything else. */
function openSource(
  source: ByteSource,
  inside: string,
  name: string,
  onWarning: OpenOptions["onWarning"],
): Document {
  try {
    if (inside === "" && isStream(source)) return openStream(source);
    const { found, bytes } = packageOrBytes(source);
    if (found !== undefined) {
      for (const doubt of found.doubts) onWarning?.(doubt);
      const { files, packaged } = setOfPackage(found, inside, name);
      return openFileSet(files, packaged);
    }
    if (bytes instanceof UnpackedSource && isStream(bytes)) {
      bytes.fillAll();
      return openStream(bytes);
    }
    refuseForeign(bytes, name);
    throw new FormatError("INVALID", NO_IMAGE, { file: name });
  } catch (error) {
    source.close();
    throw error;
  }
}

const NO_IMAGE =
  "not a linux-cr stream, and no archive of a checkpoint; for a CRIU checkpoint name the directory with inventory.img (single image files: crimg decode, crimg dump)";

/** An archive is kept in an unnamed file, a stream too with `spoolIn`. */
function openPipe(
  fd: number,
  name: string,
  spoolIn: string | undefined,
  onWarning: OpenOptions["onWarning"],
): Document {
  if (spoolIn !== undefined) return openSource(new SpoolSource(fd, name, spoolIn), "", name, onWarning);
  const pipe = new PipeSource(fd, name);
  if (isStream(pipe)) return openStream(pipe);
  return openSource(new SpoolSource(pipe.all(), name, tmpdir()), "", name, onWarning);
}

/** Opens a set of files, on disk or not. */
export function openFileSet(files: FileSet, packaged?: Packaged): CriuDocument {
  if (!isCriuSet(files))
    throw new FormatError("INVALID", "not a checkpoint image directory (no inventory.img or pstree.img)", {
      file: files.name,
    });
  const set = new CriuImageSet(files);
  const checkpoint = lazy(() => criuCheckpoint(set));
  return {
    family: "criu",
    name: files.name,
    set,
    packaged,
    get checkpoint() {
      return checkpoint();
    },
    close() {
      set.close();
      packaged?.package.close();
    },
  };
}

/** Opens a linux-cr stream. Errors: FormatError INVALID if it is not one. */
export function openStream(source: ByteSource): LinuxCrDocument {
  let image: LinuxCrImage;
  try {
    image = new LinuxCrImage(source);
  } catch (error) {
    source.close();
    throw error;
  }
  const reader = StreamReader.of(image);
  const checkpoint = lazy(() => linuxCrCheckpoint(image, reader));
  return {
    family: "linux-cr",
    name: source.name,
    image,
    reader,
    get checkpoint() {
      return checkpoint();
    },
    close: () => image.close(),
  };
}
