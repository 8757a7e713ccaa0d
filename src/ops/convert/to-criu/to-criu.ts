import { IMAGES } from "../../../formats/criu/images.js";
import { SetWriter } from "../../../formats/criu/set-writer.js";
import type { LinuxCrImage } from "../../../formats/linux-cr/image.js";
import { ARCHITECTURES } from "../../../formats/linux-cr/revisions.js";
import { UnsupportedError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import { StreamReader } from "../../../model/linux-cr/reader.js";
import type { Losses } from "../../../model/loss.js";
import { ToCriu } from "./context.js";
import { convertFiles } from "./files.js";
import { tellInvalidValues } from "./invalid-values.js";
import { writeNamespaces } from "./namespaces.js";
import { writeProcess } from "./tasks.js";
import { writeWholeSet } from "./whole-set.js";

/** A file of a new image set. */
export interface NewFile {
  readonly name: string;
  readonly content: ByteSource;
}

/**
 * The stream as the files of a CRIU image set. Page bytes are read when the files are, so the stream must stay open.
 * Errors: FormatError for a damaged stream, UnsupportedError for one of another architecture than x86-64.
 */
export function toCriu(image: LinuxCrImage, losses: Losses): readonly NewFile[] {
  const { arch } = image.dialect;
  if (arch !== ARCHITECTURES.X86_64)
    throw new UnsupportedError(`the stream is of ${arch.name}; only streams of x86-64 can be converted`, {
      file: image.name,
    });
  const reader = new StreamReader(image);
  const { head } = reader.tree;
  if (head === undefined) throw image.error(0, "the stream has no head");
  const set = new SetWriter(image.name);
  const context = new ToCriu(reader, set, losses);
  writeWholeSet(context, head);
  set.open(IMAGES.FILES, undefined);
  const namespaces = writeNamespaces(context);
  for (const process of context.processes()) writeProcess(context, process, namespaces);
  convertFiles(context);
  tellInvalidValues(context);
  return [...set.files()].map(([name, content]) => ({ name, content }));
}
