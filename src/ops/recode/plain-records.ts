import { type CriuImage, tableOf } from "../../formats/criu/image.js";
import type { ImageKind } from "../../formats/criu/image-kind.js";
import type { ByteOrder } from "../../io/byte-order.js";
import type { ReadWindow } from "../../io/window.js";
import { copyAsJson, type JsonCursor } from "../../schema/wire-json.js";

/** Records are read in blocks of this size; larger records use the general path. */
const BLOCK = 16 * 1024;

/** Room for the JSON of a block, which is about four times as large. */
const TEXT = 256 * 1024;

const COMMA = 0x2c;
const SPACE = 0x20;

/** Plain JSON of adjacent records, and the offset of the next one. */
export interface PlainRun {
  readonly text: string;
  readonly index: number;
  readonly offset: number;
}

/** Writes records without payload directly as JSON, many at once, if that gives the same text. */
export class PlainRecords {
  readonly #out = Buffer.allocUnsafe(TEXT);

  private constructor(
    private readonly window: ReadWindow,
    private readonly kind: ImageKind,
    private readonly byteOrder: ByteOrder,
  ) {}

  /** Undefined for an image whose records may have payloads. */
  static of({ header }: CriuImage, window: ReadWindow): PlainRecords | undefined {
    if (header === undefined || header.kind.payload.length > 0) return undefined;
    return new PlainRecords(window, header.kind, header.byteOrder);
  }

  /** The records from `offset` up to one that is unusual, damaged, or incomplete in the block. */
  read(index: number, offset: number): PlainRun {
    const left = this.window.source.size - offset;
    const buf = this.window.read(offset, Math.min(BLOCK, left));
    const cursor: JsonCursor = { buf, pos: 0, end: 0, out: this.#out, at: 0 };
    let next = index;
    let done = 0;
    let written = 0;
    while (done + 4 <= buf.length) {
      const size = this.byteOrder === "little-endian" ? buf.readUInt32LE(done) : buf.readUInt32BE(done);
      cursor.pos = done + 4;
      cursor.end = cursor.pos + size;
      if (cursor.end > buf.length) break;
      cursor.at = written;
      if (next > index) {
        this.#out[cursor.at++] = COMMA;
        this.#out[cursor.at++] = SPACE;
      }
      if (!copyAsJson(tableOf(this.kind, next), cursor)) break;
      next++;
      done += 4 + size;
      written = cursor.at;
    }
    return { text: this.#out.toString("latin1", 0, written), index: next, offset: offset + done };
  }
}
