import type { LinuxCrImage } from "../../../formats/linux-cr/image.js";
import { UnsupportedError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import type { Losses } from "../loss.js";

/** A file of a new image set. */
export interface NewFile {
  readonly name: string;
  readonly content: ByteSource;
}

/** The stream as the files of a CRIU image set. Page bytes are read when the files are. */
export function toCriu(image: LinuxCrImage, _losses: Losses): readonly NewFile[] {
  throw new UnsupportedError("linux-cr streams cannot be converted yet", { file: image.source.name });
}
