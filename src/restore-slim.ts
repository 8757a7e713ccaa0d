import { UnsupportedError } from "./io/errors.js";
import { FileSource } from "./io/source.js";
import { SpoolSource } from "./io/spool.js";
import type { Document } from "./model/document.js";
import { StreamReader } from "./model/linux-cr/reader.js";
import { type Verdict, validate } from "./ops/validate/validate.js";

/** What stands in the way of a restart with crimg's own engine: what validation finds in the stream and its files. */
export function checkForSlim(document: Document): Verdict {
  streamOf(document);
  return validate(document, { root: "/" });
}

/**
 * Restores a linux-cr stream with crimg's own engine, which is loaded only now. Gives the pid of the root task, which is
 * a child of this process; the tasks run. Errors: UnsupportedError for another image, BackendError, FormatError.
 */
export async function restoreSlim(document: Document): Promise<number> {
  const { reader, path } = streamOf(document);
  const { restore } = await import("./backends/slim/restore/restore.js");
  return restore(reader, path);
}

function streamOf(document: Document): { readonly reader: StreamReader; readonly path: string } {
  const source = document.family === "linux-cr" ? document.image.source : undefined;
  if (document.family === "linux-cr" && (source instanceof FileSource || source instanceof SpoolSource))
    return { reader: new StreamReader(document.image), path: source.path };
  throw new UnsupportedError("crimg's own engine restores linux-cr streams; make one with crimg convert", {
    file: document.name,
  });
}
