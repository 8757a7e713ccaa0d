import { LinuxCrImage } from "./image.js";

/** Edited records so far; undefined for unchanged parts. */
export interface PendingEdits {
  fields(index: number): Readonly<Record<string, unknown>> | undefined;
  payload(index: number): Buffer | undefined;
}

/** A stream with edited fields and payloads; record numbers are unchanged. */
export class EditedImage extends LinuxCrImage {
  readonly #edits: PendingEdits;

  constructor(image: LinuxCrImage, edits: PendingEdits) {
    super(image.source, image);
    this.#edits = edits;
  }

  override fields(index: number): Readonly<Record<string, unknown>> {
    return this.#edits.fields(index) ?? super.fields(index);
  }

  override bytes(index: number): Buffer {
    return this.#edits.payload(index) ?? super.bytes(index);
  }
}
