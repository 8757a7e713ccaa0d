import type { ByteOrder } from "../../../io/byte-order.js";
import { FormatError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import type { StreamRecords } from "./stream-records.js";

/** As much of a deleted file is taken into a stream; the log holds it as well. */
export const MAX_STORED_BYTES = 256 * 1024 * 1024;

/** Contents of a file from an offset on. */
export interface Piece {
  readonly at: number;
  readonly content: ByteSource;
}

const BLOCK = 4096;
const MAX_CHUNK_BYTES = 1024 * 1024;
/** Each chunk begins with its offset in the file, a u64. */
export const HEAD_BYTES = 8;

/** The chunks of a deleted file in the image, read when they are needed. Errors: FormatError for impossible ones. */
export function storedPieces(
  { image }: StreamRecords,
  { size }: { readonly size: bigint },
  chunks: readonly number[],
): Piece[] {
  let end = 0n;
  return chunks.map((index) => {
    const { offset, size: bytes } = image.payload(index);
    if (bytes < HEAD_BYTES)
      throw image.error(index, "a chunk of a deleted file begins with 8 bytes of offset");
    const head = image.source.read(offset, HEAD_BYTES);
    const at = image.byteOrder === "little-endian" ? head.readBigUInt64LE() : head.readBigUInt64BE();
    const length = bytes - HEAD_BYTES;
    if (at < end || at + BigInt(length) > size)
      throw new FormatError(
        "INVALID",
        "chunks of a deleted file overlap or go beyond its size",
        image.place(index),
      );
    end = at + BigInt(length);
    const start = offset + HEAD_BYTES;
    const content: ByteSource = {
      name: image.name,
      size: length,
      read: (from, n) => image.source.read(start + from, n),
      close() {},
    };
    return { at: Number(at), content };
  });
}

/** The payloads of the BUFFERs that hold a file: blocks of zeroes are holes and are left out. */
export function* chunksInStream(content: ByteSource, byteOrder: ByteOrder): Generator<Buffer> {
  let blocks: Buffer[] = [];
  let start = 0;
  const chunk = (): Buffer => {
    const head = Buffer.alloc(HEAD_BYTES);
    if (byteOrder === "little-endian") head.writeBigUInt64LE(BigInt(start));
    else head.writeBigUInt64BE(BigInt(start));
    return Buffer.concat([head, ...blocks]);
  };
  for (let at = 0; at < content.size; at += BLOCK) {
    const block = content.read(at, Math.min(BLOCK, content.size - at));
    const isHole = block.every((byte) => byte === 0);
    if (blocks.length > 0 && (isHole || at - start >= MAX_CHUNK_BYTES)) {
      yield chunk();
      blocks = [];
    }
    if (isHole) continue;
    if (blocks.length === 0) start = at;
    blocks.push(Buffer.from(block));
  }
  if (blocks.length > 0) yield chunk();
}
