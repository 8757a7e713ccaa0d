import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import type { ByteSource } from "../../../io/source.js";
import type { Losses } from "../loss.js";
import { Context } from "./context.js";

/** The set as a linux-cr stream. Page bytes are read when the stream is. Errors: FormatError, UnsupportedError. */
export function toLinuxCr(set: CriuImageSet, losses: Losses): ByteSource {
  const context = new Context(set, losses);
  return context.writer.source(set.name);
}
