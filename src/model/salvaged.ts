import { SalvagedSet } from "../formats/criu/salvage.js";
import { criuCheckpoint } from "./criu/checkpoint.js";
import type { CriuDocument, Document, LinuxCrDocument } from "./document.js";
import { lazy } from "./lazy.js";
import { linuxCrCheckpoint } from "./linux-cr/checkpoint.js";
import { StreamReader } from "./linux-cr/reader.js";

/** A set whose damaged parts count as absent instead of being thrown; what is damaged, `set` can tell. */
export interface SalvagedCriuDocument extends CriuDocument {
  readonly set: SalvagedSet;
}

/** A stream read as far as it goes; where that is and why, `reader.tree.problem` tells. */
export interface SalvagedLinuxCrDocument extends LinuxCrDocument {
  readonly reader: StreamReader;
}

export type SalvagedDocument = SalvagedCriuDocument | SalvagedLinuxCrDocument;

/** The same document, read as far as it can be. Closing either closes both. */
export function salvage(document: Document): SalvagedDocument {
  if (isSalvaged(document)) return document;
  return document.family === "criu" ? salvageSet(document) : salvageStream(document);
}

function salvageSet(document: CriuDocument): SalvagedCriuDocument {
  const set = new SalvagedSet(document.set.fileSet);
  const checkpoint = lazy(() => criuCheckpoint(set));
  return {
    family: "criu",
    name: document.name,
    set,
    get checkpoint() {
      return checkpoint();
    },
    close: () => document.close(),
  };
}

function salvageStream(document: LinuxCrDocument): SalvagedLinuxCrDocument {
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
  return document.family === "criu" ? document.set instanceof SalvagedSet : "reader" in document;
}
