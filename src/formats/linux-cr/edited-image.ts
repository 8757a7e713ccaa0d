import { LinuxCrImage } from "./image.js";

/** What edits made of records so far; undefined for what they left. */
export interface PendingEdits {
  fields(index: number): Readonly<Record<string, unknown>> | undefined;
  payload(index: number): Buffer | undefined;
}

/** A stream with the fields and payloads that edits gave its records, which keep their numbers. */
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
