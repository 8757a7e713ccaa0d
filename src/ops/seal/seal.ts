import path from "node:path";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { sha256 } from "../../io/digest.js";
import { isCrimgError } from "../../io/errors.js";
import { type ByteSource, MemorySource } from "../../io/source.js";
import type { Document } from "../../model/document.js";
import { assertSmall, decodeEnvelope, encodeEnvelope, isSignedBy } from "./envelope.js";
import {
  type Cuts,
  cutsOfBytes,
  cutsOfImage,
  cutsOfStream,
  partName,
  type SealedFile,
  sealFile,
} from "./sealed-file.js";
import { decodeStatement, encodeStatement, type Seal, wholeOf } from "./statement.js";

export interface SealOptions {
  /** Name and version of this program, and how it was called. */
  readonly tool: string;
  readonly command: string;
  readonly time?: Date | undefined;
  /** Ed25519, PEM. */
  readonly privateKey?: Buffer | undefined;
  /** The file of the seal before this one. */
  readonly previous?: Buffer | undefined;
}

/** What a seal says that is not so. */
export interface SealDifference {
  readonly file: string;
  readonly what: "missing" | "added" | "changed" | "size changed";
  /** `header`, `record 3`, or a range of bytes; absent where it is the whole file. */
  readonly part?: string | undefined;
}

export interface SealVerdict {
  readonly seal: Seal;
  /** Undefined when no key was given. */
  readonly isSigned: boolean | undefined;
  /** Whether it follows the given seal; undefined when none was given. */
  readonly follows: boolean | undefined;
  readonly differences: readonly SealDifference[];
}

/** Digests of each file of an image and of each of its records, as the bytes of a seal. Errors: USAGE for a key; FormatError TOO_LARGE; IO. */
export function sealImage(
  document: Document,
  options: SealOptions,
): { readonly seal: Seal; readonly bytes: Buffer } {
  const { tool, command, time = new Date(), privateKey, previous } = options;
  const files = filesOf(document).map(({ name, source, cuts }) => sealFile(name, source, cuts()));
  const seal: Seal = {
    ...{ files, whole: wholeOf(files), time: time.toISOString(), tool, command },
    previous: previous && digestOf(previous),
  };
  const statement = encodeStatement(seal);
  assertSmall(statement, document.name);
  const bytes = encodeEnvelope(statement, privateKey);
  assertSmall(bytes, document.name);
  return { seal, bytes };
}

/** Compares an image with a seal. Errors: FormatError INVALID for what is no seal; USAGE for a key. */
export function verifySeal(
  document: Document,
  {
    bytes,
    name,
    publicKey,
    previous,
  }: {
    readonly bytes: Buffer;
    readonly name: string;
    readonly publicKey?: Buffer | undefined;
    readonly previous?: Buffer | undefined;
  },
): SealVerdict {
  const envelope = decodeEnvelope(bytes, name);
  const seal = decodeStatement(envelope.payload, name);
  return {
    seal,
    isSigned: publicKey && isSignedBy(envelope, publicKey),
    follows: previous && digestOf(previous) === seal.previous,
    differences: [...differences(document, seal)],
  };
}

function* differences(document: Document, { files }: Seal): Generator<SealDifference> {
  const found = new Map(filesOf(document).map((file) => [file.name, file.source]));
  for (const sealed of files) {
    const source = found.get(sealed.name);
    if (source === undefined) yield { file: sealed.name, what: "missing" };
    else yield* changed(sealed, source);
    found.delete(sealed.name);
  }
  for (const file of found.keys()) yield { file, what: "added" };
}

/** The parts that differ, by the cuts of the seal. */
function* changed(sealed: SealedFile, source: ByteSource): Generator<SealDifference> {
  const { name: file, parts, ...cuts } = sealed;
  const now = sealFile(file, source, { ...cuts, ends: parts.map(([end]) => end) });
  if (now.sha256 === sealed.sha256) return;
  const isMoved = now.size !== sealed.size;
  if (isMoved) yield { file, what: "size changed", part: `${sealed.size} to ${now.size} bytes` };
  for (const [i, [, digest]] of parts.entries()) {
    if (digest === now.parts[i]?.[1]) continue;
    yield { file, what: "changed", part: partName(sealed, i) };
    // Where the size differs, what stands behind has moved.
    if (isMoved) return;
  }
}

interface ImageFile {
  readonly name: string;
  readonly source: ByteSource;
  readonly cuts: () => Cuts;
}

/** Of a set each file, of a stream the one. */
function filesOf(document: Document): ImageFile[] {
  if (document.family === "linux-cr") {
    const { image } = document;
    return [{ name: path.basename(document.name), source: image.source, cuts: () => cutsOfStream(image) }];
  }
  const { set } = document;
  return set.fileSet.names().flatMap((name) => {
    const source = set.fileSet.open(name);
    return source === undefined ? [] : { name, source, cuts: () => cutsOfFile(set, name, source) };
  });
}

/** A file that is no image, or a damaged one, has no records. */
function cutsOfFile(set: CriuImageSet, name: string, source: ByteSource): Cuts {
  try {
    const image = set.imageNamed(name);
    return image?.header === undefined ? cutsOfBytes(source) : cutsOfImage(image);
  } catch (error) {
    if (!isCrimgError(error) || error.code === "IO") throw error;
    return cutsOfBytes(source);
  }
}

/** Of the file of a seal. Errors: FormatError INVALID for another. */
function digestOf(file: Buffer): string {
  decodeEnvelope(file, "the seal before");
  return sha256(new MemorySource(file, "seal"));
}
