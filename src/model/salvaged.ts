import { SalvagedSet } from "../formats/criu/salvage.js";
import { criuCheckpoint } from "./criu/checkpoint.js";
import type { CriuDocument, Document } from "./document.js";
import { lazy } from "./lazy.js";

/** A document whose damaged parts count as absent instead of being thrown; what is damaged, `set` can tell. */
export interface SalvagedDocument extends CriuDocument {
  readonly set: SalvagedSet;
}

/**
 * The same document, read as far as it can be. Closing either closes both.
 * Errors: UnsupportedError for what is no CRIU image set.
 */
export function salvage(document: Document): SalvagedDocument {
  if (isSalvaged(document)) return document;
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

function isSalvaged(document: Document): document is SalvagedDocument {
  return document.family === "criu" && document.set instanceof SalvagedSet;
}
