import { UsageError } from "../../io/errors.js";
import type { FileSet } from "../../io/file-set.js";
import type { ByteSource } from "../../io/source.js";
import { type Document, isInArchive } from "../../model/document.js";
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
 * Converts an image into one of the other family, or takes a set out of an archive. Nothing is written: what would be lost is known before.
 * Errors: UsageError for an image that is of that family already; FormatError; UnsupportedError.
 */
export function planConversion(document: Document, to: Family = defaultFamily(document)): Conversion {
  if (document.family === "criu" && to === "criu" && isInArchive(document))
    return { to, losses: lossesOutOf(document.set.fileSet), files: filesOfSet(document.set.fileSet) };
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

/** A set in an archive is taken out of it; any other image becomes one of the other family. */
function defaultFamily(document: Document): Family {
  return isInArchive(document) ? "criu" : otherFamily(document.family);
}

/** The parent of an incremental set is another set. */
function lossesOutOf(files: FileSet): Loss[] {
  if (files.irregular?.().has("parent") !== true) return [];
  return [
    {
      object: "parent",
      what: "the set that this one is incremental to",
      why: "one set is taken out at a time",
    },
  ];
}

function filesOfSet(files: FileSet): NewFile[] {
  return files.names().flatMap((name) => {
    const content = files.open(name);
    return content === undefined ? [] : [{ name, content }];
  });
}

function otherFamily(family: Family): Family {
  return family === "criu" ? "linux-cr" : "criu";
}
