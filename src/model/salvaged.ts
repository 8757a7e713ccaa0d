import { SalvagedSet } from "../formats/criu/salvage.js";
import { type CrimgError, FormatError, isCrimgError } from "../io/errors.js";
import { criuCheckpoint } from "./criu/checkpoint.js";
import type { CriuDocument, Document, LinuxCrDocument } from "./document.js";
import { lazy } from "./lazy.js";
import { linuxCrCheckpoint } from "./linux-cr/checkpoint.js";
import { StreamReader } from "./linux-cr/reader.js";

/** A set whose damaged parts count as absent instead of being thrown; what is damaged, `set` can tell. */
export interface SalvagedCriuDocument extends CriuDocument {
  readonly set: SalvagedSet;
}

/** A set, or a stream read as far as it goes; where that is and why, `reader.tree.problem` tells. */
export type SalvagedDocument = SalvagedCriuDocument | LinuxCrDocument;

const salvaged = new WeakMap<Document, SalvagedDocument>();

/** The same document, read as far as it can be; one for each document. Closing either closes both. */
export function salvage(document: Document): SalvagedDocument {
  if (isSalvaged(document)) return document;
  const known = salvaged.get(document);
  if (known !== undefined) return known;
  const made = document.family === "criu" ? salvageSet(document) : salvageStream(document);
  salvaged.set(document, made);
  return made;
}

/** What a look at an image gave; `damage` is what it could not read, with file and place. */
export interface Seen<T> {
  readonly answer: T;
  readonly damage: readonly CrimgError[];
}

/**
 * Looks at images, and if that meets damage, at what can be read of them. Errors: of `look`, but for damaged images.
 */
export function lookAt<T, D extends readonly Document[]>(
  documents: D,
  look: (...documents: D) => T,
): Seen<T> {
  try {
    return { answer: look(...documents), damage: [] };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const read = documents.map(salvage);
    const answer = look(...(read as readonly Document[] as D));
    const damage = read.flatMap(damageOf);
    if (damage.length === 0) throw error;
    return { answer, damage };
  }
}

/** What is too large would be read, and held, a second time. */
function isDamage(error: unknown): boolean {
  if (!isCrimgError(error) || error.code === "TOO_LARGE") return false;
  return error instanceof FormatError || error.code === "IO";
}

function damageOf(document: SalvagedDocument): readonly CrimgError[] {
  if (document.family === "criu") return document.set.damage().map(({ error }) => error);
  const { problem } = document.reader.tree;
  return problem === undefined ? [] : [problem];
}

function salvageSet(document: CriuDocument): SalvagedCriuDocument {
  const set = new SalvagedSet(document.set.fileSet);
  const checkpoint = lazy(() => criuCheckpoint(set));
  return {
    family: "criu",
    name: document.name,
    set,
    packaged: document.packaged,
    get checkpoint() {
      return checkpoint();
    },
    close: () => document.close(),
  };
}

function salvageStream(document: LinuxCrDocument): LinuxCrDocument {
  const { name, image } = document;
  const reader = new StreamReader(image, true);
  const checkpoint = lazy(() => linuxCrCheckpoint(image, reader));
  return {
    family: "linux-cr",
    name,
    image,
    reader,
    get checkpoint() {
      return checkpoint();
    },
    close: () => document.close(),
  };
}

function isSalvaged(document: Document): document is SalvagedDocument {
  return document.family === "criu" ? document.set instanceof SalvagedSet : document.reader.isSalvaging;
}
