import fs from "node:fs";
import path from "node:path";
import { isatty } from "node:tty";
import { CriuImageSet, isCriuSet } from "./formats/criu/image-set.js";
import { LinuxCrImage } from "./formats/linux-cr/image.js";
import { isStream } from "./formats/linux-cr/scan.js";
import { EditError, FormatError, ioError, UsageError } from "./io/errors.js";
import { DirectoryFileSet, type FileSet } from "./io/file-set.js";
import { assertNotInterrupted } from "./io/interrupted-edit.js";
import { PipeSource } from "./io/pipe-source.js";
import { type ByteSource, CHANGED, FileSource } from "./io/source.js";
import { SpoolSource } from "./io/spool.js";
import { criuCheckpoint } from "./model/criu/checkpoint.js";
import type { CriuDocument, Document, LinuxCrDocument } from "./model/document.js";
import { lazy } from "./model/lazy.js";
import { linuxCrCheckpoint } from "./model/linux-cr/checkpoint.js";
import { EDIT_LOG } from "./ops/edit/log.js";
import { editPlaceOf, setPlace } from "./ops/edit/place.js";

export interface OpenOptions {
  /** Directory in which a pipe is spooled to an unlinked file, for reading in any order. */
  readonly spoolIn?: string | undefined;
  /** Called with one sentence about an untrusted edit journal beside the image. */
  readonly onWarning?: ((sentence: string) => void) | undefined;
  /** Called with a function to call after reading: `assertUnchanged` of the document. */
  readonly onOpened?: ((assertUnchanged: () => void) => void) | undefined;
}

/**
 * Opens a checkpoint image by its content: a directory with a CRIU image set, or a linux-cr stream from a file, a named
 * pipe or, as `-`, from stdin. Changes nothing in or beside the image.
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
    if (isatty(0)) throw new UsageError("missing image: name one, or pipe a linux-cr stream to stdin");
    return openStream(pipe(0, "stdin", spoolIn));
  }
  let stat: fs.Stats;
  try {
    stat = fs.statSync(image);
  } catch (error) {
    throw ioError("open the image", image, error);
  }
  const place = editPlaceOf(image, stat);
  const doubt = place && assertNotInterrupted(place);
  if (doubt !== undefined) onWarning?.(doubt);
  return stat.isDirectory()
    ? openFileSet(new DirectoryFileSet(image))
    : openStream(fileOrPipe(image, stat, spoolIn));
}

function pipe(fd: number, name: string, spoolIn: string | undefined): ByteSource {
  return spoolIn === undefined ? new PipeSource(fd, name) : new SpoolSource(fd, name, spoolIn);
}

/** Opens a set of files, on disk or not. */
export function openFileSet(files: FileSet): CriuDocument {
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
    get checkpoint() {
      return checkpoint();
    },
    close: () => set.close(),
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
  const checkpoint = lazy(() => linuxCrCheckpoint(image));
  return {
    family: "linux-cr",
    name: source.name,
    image,
    get checkpoint() {
      return checkpoint();
    },
    close: () => image.close(),
  };
}

function fileOrPipe(file: string, stat: fs.Stats, spoolIn: string | undefined): ByteSource {
  if (!stat.isFile()) {
    let fd: number;
    try {
      fd = fs.openSync(file, "r");
    } catch (error) {
      throw ioError("open the image", file, error);
    }
    return pipe(fd, file, spoolIn);
  }
  const source = new FileSource(file);
  if (isStream(source)) return source;
  source.close();
  throw new FormatError(
    "INVALID",
    "not a linux-cr stream; for a CRIU checkpoint name the directory with inventory.img (single image files: crimg decode, crimg dump)",
    { file },
  );
}
