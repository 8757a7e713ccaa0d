import { ByteRanges } from "../../io/byte-ranges.js";
import { EditError } from "../../io/errors.js";
import type { Splice } from "../../io/splice.js";
import type { Shown } from "./editor.js";

/** New bytes in the place of as many, and what is on record instead of them. */
export interface Patch {
  readonly bytes: Buffer;
  readonly shown: Shown | undefined;
}

/** Where a patch is, as the field of a change; with its length where the bytes are not on record. */
export function patchedField(offset: number, bytes: Buffer, shown: Shown | undefined): string {
  return `0x${offset.toString(16)}${shown === undefined ? "" : `+${bytes.length}`}`;
}

/** Bytes of one file that are changed in place. */
export class Patches {
  readonly #splices: Splice[] = [];
  readonly #changed = new ByteRanges();

  constructor(readonly file: string) {}

  /** Errors: EDIT for bytes that are changed already. */
  add(offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    if (this.#changed.overlaps(offset, end)) throw this.#twice(offset);
    this.#changed.add(offset, end);
    this.#splices.push({ offset, size: bytes.length, bytes });
  }

  /** All of them and other changes of the file, ascending. Errors: EDIT for bytes that both change. */
  among(others: readonly Splice[]): Splice[] {
    // What is inserted before a record comes before what is done to it: an insertion has no size.
    const all = [...others, ...this.#splices].sort((a, b) => a.offset - b.offset || a.size - b.size);
    let end = 0;
    for (const { offset, size } of all) {
      if (offset < end) throw this.#twice(offset);
      end = offset + size;
    }
    return all;
  }

  #twice(offset: number): EditError {
    return new EditError("two edits change the same bytes", { file: this.file, offset });
  }
}
