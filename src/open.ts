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
  /** Directory for the bytes of a pipe, which can then be read in any order; the file has no name there. */
  readonly spoolIn?: string | undefined;
  /** Told one sentence about an entry beside the image that looks like an interrupted edit and is not believed. */
  readonly onWarning?: ((sentence: string) => void) | undefined;
  /** Given what is to be called at the end of the reading: `assertUnchanged` of the document. */
  readonly onOpened?: ((assertUnchanged: () => void) => void) | undefined;
}

/**
 * Opens a checkpoint image by its content: a directory with a CRIU image set, or a linux-cr stream from a file, a named
 * pipe or, as `-`, from stdin. Changes nothing, whatever lies in or beside the image.
 * Errors: CrimgError MISSING for no such path, FormatError INVALID for what is no checkpoint image, EDIT for one whose edit
 * in place was interrupted when some files were replaced and others were not.
 */
export function openDocument(image: string, options: OpenOptions = {}): Document {
  const document = open(image, options);
  options.onOpened?.(() => assertUnchanged(document));
  return document;
}

/**
 * Makes sure that what was read of a set is of one state: an edit in place that came between would have mixed old files and
 * new ones. A stream is one file, which stays open. Errors: EDIT.
 */
export function assertUnchanged(document: Document): void {
  if (document.family === "criu") assertSetUnchanged(document.set.fileSet);
}

/** The same for the files of a set. Errors: EDIT. */
export function assertSetUnchanged(files: FileSet): void {
  if (!(files instanceof DirectoryFileSet)) return;
  for (const set of files.touched()) {
    assertNotInterrupted(setPlace(set.directory));
    // The first edit adds the log to the files that were listed.
    const isListed = set.names().includes(EDIT_LOG) || !fs.existsSync(path.join(set.directory, EDIT_LOG));
    if (!isListed || set.replacedFile() !== undefined) throw new EditError(CHANGED, { file: set.name });
  }
}

function open(image: string, { spoolIn, onWarning }: OpenOptions): Document {
  if (image === "-") {
    if (isatty(0)) throw new UsageError("name an image, or pipe a linux-cr stream into stdin");
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

/** Opens the image in a set of files, also one that is not (yet) on disk. */
export function openFileSet(files: FileSet): CriuDocument {
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

/** Opens a linux-cr stream. Errors: FormatError INVALID for what is none. */
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
    "this is a single file and no linux-cr stream; a CRIU checkpoint is the directory that holds inventory.img (single images: crimg decode, crimg dump)",
    { file },
  );
}
