import type { CriuImageSet } from "../formats/criu/image-set.js";
import type { LinuxCrImage } from "../formats/linux-cr/image.js";
import type { Checkpoint } from "./checkpoint.js";

/** An opened checkpoint image: the records as stored, and the neutral model over them. */
export interface CriuDocument {
  readonly family: "criu";
  /** Path as the user knows it. */
  readonly name: string;
  readonly set: CriuImageSet;
  /** Built at first use. Errors: FormatError when the set is too damaged for a model. */
  readonly checkpoint: Checkpoint;
  close(): void;
}

/** An opened linux-cr stream. */
export interface LinuxCrDocument {
  readonly family: "linux-cr";
  readonly name: string;
  readonly image: LinuxCrImage;
  /** Built at first use. Errors: FormatError when the stream is damaged, cut off, or a checkpoint that failed. */
  readonly checkpoint: Checkpoint;
  close(): void;
}

export type Document = CriuDocument | LinuxCrDocument;
