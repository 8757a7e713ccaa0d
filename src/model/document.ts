import type { Package, PackagedSet } from "../formats/archive/package.js";
import type { CriuImageSet } from "../formats/criu/image-set.js";
import type { LinuxCrImage } from "../formats/linux-cr/image.js";
import type { Checkpoint } from "./checkpoint.js";
import type { StreamReader } from "./linux-cr/reader.js";

/** The package that a set was found in: an archive, or what an engine keeps beside its images. */
export interface Packaged {
  readonly package: Package;
  readonly set: PackagedSet;
  /** Whether the set is the directory that was named, which is written like any other. */
  readonly isDirectory: boolean;
}

/** An opened checkpoint image: the records as stored, and the neutral model over them. */
export interface CriuDocument {
  readonly family: "criu";
  /** Path as the user knows it. */
  readonly name: string;
  readonly set: CriuImageSet;
  /** Undefined for a set that no engine packed. */
  readonly packaged?: Packaged | undefined;
  /** Built at first use. Errors: FormatError when the set is too damaged for a model. */
  readonly checkpoint: Checkpoint;
  close(): void;
}

/** An opened linux-cr stream. */
export interface LinuxCrDocument {
  readonly family: "linux-cr";
  readonly name: string;
  readonly image: LinuxCrImage;
  readonly reader: StreamReader;
  /** Built at first use. Errors: FormatError when the stream is damaged, cut off, or a checkpoint that failed. */
  readonly checkpoint: Checkpoint;
  close(): void;
}

export type Document = CriuDocument | LinuxCrDocument;

/** Whether a document is a set in an archive, or in the directory of an engine: it is read where it is, and not written. */
export function isInArchive(document: Document): boolean {
  return document.family === "criu" && document.packaged !== undefined && !document.packaged.isDirectory;
}

/** Whether a document is one file, written as one: a stream, or a set in the file of an archive. */
export function isOneFile(document: Document): boolean {
  return (
    document.family === "linux-cr" || (isInArchive(document) && document.packaged?.package.file !== undefined)
  );
}
