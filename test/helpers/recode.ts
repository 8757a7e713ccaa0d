import { HEAD_MAGICS } from "../../src/formats/criu/detect.js";
import { CriuImage } from "../../src/formats/criu/image.js";
import type { ImageKind } from "../../src/formats/criu/image-kind.js";
import { MemorySource } from "../../src/io/source.js";
import { decodeImage } from "../../src/ops/recode/decode-image.js";

/** The JSON of the image in these bytes. */
export function decoded(
  bytes: Buffer,
  options: { pretty?: boolean; noPayload?: boolean; fileName?: string } = {},
): string {
  const { fileName = "" } = options;
  const image = new CriuImage(new MemorySource(bytes, fileName || "image"), fileName);
  return [...decodeImage(image, options)].join("");
}

/** An image of the kind with that magic: words and sizes in the given byte order, then whatever stands behind each record. */
export function imageOf(
  magic: number,
  records: readonly (Buffer | readonly [message: Buffer, payload: Buffer])[],
  { head = 0x54564319, bigEndian = false }: { head?: number | null; bigEndian?: boolean } = {},
): Buffer {
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (bigEndian) bytes.writeUInt32BE(value);
    else bytes.writeUInt32LE(value);
    return bytes;
  };
  const parts = head === null ? [word(magic)] : [word(head), word(magic)];
  for (const record of records) {
    const [message, payload] = Buffer.isBuffer(record) ? [record, Buffer.alloc(0)] : record;
    parts.push(word(message.length), message, payload);
  }
  return Buffer.concat(parts);
}

/** The head magic that criu writes before that of the kind. */
export function headOf(kind: ImageKind): number | null {
  return kind.head === "none" ? null : HEAD_MAGICS[kind.head];
}
