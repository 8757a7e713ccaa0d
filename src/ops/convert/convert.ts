import { UsageError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import type { Document } from "../../model/document.js";
import { type Loss, Losses } from "../../model/loss.js";
import { type NewFile, toCriu } from "./to-criu/to-criu.js";
import { toLinuxCr } from "./to-linux-cr/to-linux-cr.js";

export type Family = Document["family"];

/** A conversion that is ready to be written; its bytes are read from the original while it is. */
export type Conversion =
  | {
      readonly to: "linux-cr";
      /** What the other family cannot express, object by object. */
      readonly losses: readonly Loss[];
      readonly stream: ByteSource;
    }
  | { readonly to: "criu"; readonly losses: readonly Loss[]; readonly files: readonly NewFile[] };

/**
 * Converts an image into one of the other family. Nothing is written: what would be lost is known before.
 * Errors: UsageError for an image that is of that family already; FormatError; UnsupportedError.
 */
export function planConversion(document: Document, to: Family = otherFamily(document.family)): Conversion {
  if (document.family === to)
    throw new UsageError(
      to === "criu" ? "this is a CRIU image set already" : "this is a linux-cr stream already",
      { file: document.name },
    );
  const losses = new Losses();
  if (document.family === "criu") {
    const stream = toLinuxCr(document.set, losses);
    return { to: "linux-cr", losses: losses.list(), stream };
  }
  const files = toCriu(document.image, losses);
  return { to: "criu", losses: losses.list(), files };
}

function otherFamily(family: Family): Family {
  return family === "criu" ? "linux-cr" : "criu";
}
