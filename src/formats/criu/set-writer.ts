import path from "node:path";
import { type Piece, PieceList } from "../../io/concat.js";
import type { ByteSource } from "../../io/source.js";
import { encodeMessage } from "../../schema/encode.js";
import type { MessageTable, Value } from "../../schema/message.js";
import { fileNameOf, HEAD_MAGICS } from "./detect.js";
import type { ImageKind } from "./image-kind.js";

/**
 * Writes a set, little-endian and with img_version 2. Records are held encoded; page contents and other payloads may be
 * ranges of a source, which are copied only when the set is written.
 */
export class SetWriter {
  readonly #files = new Map<string, PieceList>();

  constructor(
    /** Name of the set for messages. */
    readonly name: string,
  ) {}

  /**
   * Adds a record with its payload to the image of that kind and id, which is created by its first record.
   * Errors: CrimgError INVALID for a value that is invalid for its field.
   */
  add<M extends MessageTable>(
    kind: ImageKind,
    id: number | undefined,
    table: M,
    value: Value<M>,
    payload: readonly Piece[] = [],
  ): void {
    const pieces = this.open(kind, id);
    const message = encodeMessage(table, value, { file: fileNameOf(kind, id) });
    const framed = Buffer.allocUnsafe(message.length + 4);
    framed.writeUInt32LE(message.length);
    message.copy(framed, 4);
    for (const piece of [framed, ...payload]) pieces.add(piece);
  }

  /** Adds bytes to a raw image, such as pages-N.img. */
  append(kind: ImageKind, id: number | undefined, pieces: Iterable<Piece>): void {
    const to = this.open(kind, id);
    for (const piece of pieces) to.add(piece);
  }

  /** Creates an image without records, such as an empty descriptor table. */
  open(kind: ImageKind, id: number | undefined): PieceList {
    const name = fileNameOf(kind, id);
    let pieces = this.#files.get(name);
    if (pieces === undefined) {
      pieces = new PieceList();
      if (kind.magic !== undefined) pieces.add(headerOf(kind, kind.magic));
      this.#files.set(name, pieces);
    }
    return pieces;
  }

  has(kind: ImageKind, id: number | undefined): boolean {
    return this.#files.has(fileNameOf(kind, id));
  }

  /** The images by file name. */
  files(): Map<string, ByteSource> {
    return new Map(
      [...this.#files]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, pieces]) => [name, pieces.source(path.join(this.name, name))]),
    );
  }
}

/** The magic words: that of the kind, and the one before it except for the inventory. */
function headerOf({ head }: ImageKind, magic: number): Buffer {
  const words = head === "none" ? [magic] : [HEAD_MAGICS[head], magic];
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, i * 4);
  return bytes;
}
