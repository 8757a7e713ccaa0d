/**
 * The wire level of protobuf (protobuf.dev/programming-guides/encoding): varints, tags and spans.
 * Positions are byte offsets inside the given buffer.
 */

import { MAX_RECORD_ELEMENTS } from "../io/limits.js";

export type WireType = 0 | 1 | 2 | 5;

/** An error in the wire bytes; the codec adds the file and the record. */
export class WireError extends Error {
  /** Path from the record to the field, built while unwinding. */
  path = "";

  constructor(
    text: string,
    readonly offset: number,
    readonly code: "TRUNCATED" | "INVALID" | "TOO_LARGE" = "INVALID",
  ) {
    super(text);
  }

  /** Adds an outer name before the path. */
  within(name: string): this {
    this.path = `.${name}${this.path}`;
    return this;
  }
}

const words = new Uint32Array(2);
const word64 = new BigUint64Array(words.buffer);
const lowIndex = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const highIndex = 1 - lowIndex;

/** Forward reader of one buffer. `pos` is public so that a caller can skip a field. */
export class WireReader {
  /** Halves of the last varint read: bits 0-31 and 32-63. */
  low = 0;
  high = 0;
  #elements = 0;

  constructor(
    public buf: Buffer,
    public pos: number,
    public end: number,
  ) {}

  /** Reads one varint of at most 10 bytes into `low` and `high`; bits above 64 are an error. */
  varint(): void {
    const buf = this.buf;
    let pos = this.pos;
    const end = this.end;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end)
        throw new WireError("varint extends beyond the end of its message", this.pos, "TRUNCATED");
      const byte = buf[pos++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else {
        if (shift === 63 && bits > 1) throw new WireError("varint of more than 64 bits", this.pos);
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) {
        this.pos = pos;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new WireError("varint longer than 10 bytes", this.pos);
  }

  /** Low 32 bits of a varint, unsigned. The high bits are dropped, as by every protobuf reader. */
  uint32(): number {
    const first = this.buf[this.pos] as number;
    if (first < 0x80 && this.pos < this.end) {
      this.pos++;
      return first;
    }
    this.varint();
    return this.low;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  uint64(): bigint {
    this.varint();
    if (this.high === 0) return BigInt(this.low);
    words[lowIndex] = this.low;
    words[highIndex] = this.high;
    return word64[0] as bigint;
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  sint64(): bigint {
    const value = this.uint64();
    return (value >> 1n) ^ -(value & 1n);
  }

  fixed64(): bigint {
    this.skip(8);
    return this.buf.readBigUInt64LE(this.pos - 8);
  }

  bool(): boolean {
    this.varint();
    return this.low !== 0 || this.high !== 0;
  }

  /** Reads a length and checks that as many bytes are left. The content starts at `pos` afterwards. */
  length(): number {
    const at = this.pos;
    this.varint();
    const left = this.end - this.pos;
    if (this.high !== 0 || this.low > left)
      throw new WireError(
        `invalid length ${this.high * 2 ** 32 + this.low} (expected at most ${left}, the rest of the message)`,
        at,
        "TRUNCATED",
      );
    return this.low;
  }

  skip(size: number): void {
    if (this.pos + size > this.end)
      throw new WireError(
        `truncated: found ${this.end - this.pos} bytes (expected ${size})`,
        this.pos,
        "TRUNCATED",
      );
    this.pos += size;
  }

  /** Counts objects, whose number costs memory: two bytes of a record can become an object of a hundred. */
  countElement(weight = 1): void {
    this.#elements += weight;
    if (this.#elements > MAX_RECORD_ELEMENTS)
      throw new WireError(
        `too many elements in one record (expected at most ${MAX_RECORD_ELEMENTS})`,
        this.pos,
        "TOO_LARGE",
      );
  }

  /** Skips the value of a field after its tag. */
  skipValue(wireType: WireType): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.skip(8);
    else if (wireType === 5) this.skip(4);
    else this.skip(this.length());
  }
}

/** Splits a tag; groups (wire types 3, 4) and 6, 7 do not occur in images. */
export function checkTag(tag: number, offset: number): void {
  const wireType = tag & 7;
  if (tag >>> 3 === 0) throw new WireError("invalid field number 0", offset);
  if (wireType === 3 || wireType === 4 || wireType > 5)
    throw new WireError(
      `invalid wire type ${wireType} of field ${tag >>> 3} (expected 0, 1, 2 or 5)`,
      offset,
    );
}

/** One encoded field of a message. */
export interface WireSpan {
  readonly number: number;
  readonly wireType: WireType;
  /** Start of the tag. */
  readonly start: number;
  /** Start of the value; for wire type 2, of its length. */
  readonly valueStart: number;
  /** Start of the content for wire type 2, else of the value. */
  readonly contentStart: number;
  readonly end: number;
}

/**
 * The fields of the message in `buf[start, end)` in order, without decoding them.
 * Errors: WireError, also for too many fields.
 */
export function wireSpans(buf: Buffer, start = 0, end = buf.length): WireSpan[] {
  const reader = new WireReader(buf, start, end);
  const spans: WireSpan[] = [];
  while (reader.pos < end) {
    reader.countElement();
    spans.push(readSpan(reader));
  }
  return spans;
}

/** Skips the next field and returns the positions of its parts. */
export function readSpan(reader: WireReader): WireSpan {
  const start = reader.pos;
  const tag = reader.uint32();
  checkTag(tag, start);
  const wireType = (tag & 7) as WireType;
  const valueStart = reader.pos;
  let contentStart = valueStart;
  if (wireType === 2) {
    const length = reader.length();
    contentStart = reader.pos;
    reader.pos += length;
  } else reader.skipValue(wireType);
  return { number: tag >>> 3, wireType, start, valueStart, contentStart, end: reader.pos };
}

/** Growing output buffer. Lengths of nested messages are inserted afterwards. */
export class WireWriter {
  buf = Buffer.allocUnsafe(256);
  pos = 0;

  reserve(size: number): void {
    if (this.pos + size <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buf.length * 2, this.pos + size));
    this.buf.copy(grown, 0, 0, this.pos);
    this.buf = grown;
  }

  uint32(value: number): void {
    this.reserve(5);
    const buf = this.buf;
    let pos = this.pos;
    let rest = value;
    while (rest > 0x7f) {
      buf[pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buf[pos++] = rest;
    this.pos = pos;
  }

  /** A negative int32 takes ten bytes, as in protobuf. */
  int32(value: number): void {
    if (value >= 0) this.uint32(value);
    else this.halves(value >>> 0, 0xffffffff);
  }

  uint64(value: bigint): void {
    word64[0] = value;
    this.halves(words[lowIndex] as number, words[highIndex] as number);
  }

  fixed64(value: bigint): void {
    this.reserve(8);
    this.pos = this.buf.writeBigUInt64LE(value, this.pos);
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length);
    this.buf.set(value, this.pos);
    this.pos += value.length;
  }

  /** Inserts the length of the bytes written since `start` before them. */
  closeLength(start: number): void {
    const length = this.pos - start;
    const prefix =
      length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x200000 ? 3 : length < 0x10000000 ? 4 : 5;
    this.reserve(prefix);
    this.buf.copyWithin(start + prefix, start, this.pos);
    this.pos = start;
    this.uint32(length);
    this.pos += length;
  }

  take(): Buffer {
    return Buffer.from(this.buf.subarray(0, this.pos));
  }

  private halves(low: number, high: number): void {
    this.reserve(10);
    const buf = this.buf;
    let pos = this.pos;
    let lowRest = low;
    let highRest = high;
    while (highRest !== 0 || lowRest > 0x7f) {
      buf[pos++] = (lowRest & 0x7f) | 0x80;
      lowRest = ((lowRest >>> 7) | (highRest << 25)) >>> 0;
      highRest >>>= 7;
    }
    buf[pos++] = lowRest;
    this.pos = pos;
  }
}
