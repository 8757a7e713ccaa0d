import { isCrimgError } from "../../io/errors.js";
import { MAX_RECORD_BYTES } from "../../io/limits.js";
import { ValueError, writeMessage } from "../../schema/encode.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";
import { rewriteMessage } from "../../schema/rewrite.js";
import { WireWriter } from "../../schema/wire.js";

/** Collects the bytes of an image; words are in the byte order of the machine that made it. */
export class ImageWriter {
  readonly #out = new WireWriter();

  constructor(readonly byteOrder: "little-endian" | "big-endian") {}

  word(value: number): void {
    this.#out.reserve(4);
    this.#setWord(this.#out.pos, value);
    this.#out.pos += 4;
  }

  half(value: number): void {
    const { buf, pos } = this.#reserved(2);
    if (this.byteOrder === "little-endian") buf.writeUInt16LE(value, pos);
    else buf.writeUInt16BE(value, pos);
    this.#out.pos += 2;
  }

  bytes(value: Buffer): void {
    this.#out.bytes(value);
  }

  /**
   * A message preceded by its size. `wire` is the message in the original image: unchanged fields keep its bytes.
   * Errors: ValueError for an invalid value.
   */
  message(table: MessageTable, value: AnyValue, wire: Buffer | undefined): void {
    this.word(0);
    const start = this.#out.pos;
    writeMessage(table, this.#out, value);
    if (wire !== undefined) {
      this.#out.pos = start;
      this.#out.bytes(rewritten(table, wire, value));
    }
    const size = this.#out.pos - start;
    if (size > MAX_RECORD_BYTES)
      throw new ValueError(`record too large: ${size} bytes (expected at most ${MAX_RECORD_BYTES})`);
    this.#setWord(start - 4, size);
  }

  take(): Buffer {
    return this.#out.buf.subarray(0, this.#out.pos);
  }

  #reserved(size: number): WireWriter {
    this.#out.reserve(size);
    return this.#out;
  }

  #setWord(at: number, value: number): void {
    if (this.byteOrder === "little-endian") this.#out.buf.writeUInt32LE(value, at);
    else this.#out.buf.writeUInt32BE(value, at);
  }
}

/** `value` is valid for its table, as checked before. */
function rewritten(table: MessageTable, wire: Buffer, value: AnyValue): Buffer {
  try {
    return rewriteMessage(table, wire, value);
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    throw new ValueError(`not the encoding of a ${table.name}: ${error.message}`).within("_wire");
  }
}
