import type { ByteOrder } from "../../io/byte-order.js";
import { FormatError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import type { ImageKind } from "./image-kind.js";
import { IMAGE_KINDS } from "./images.js";

/** First word of every image but the inventory since criu 1.6, by the kind's `head` (criu/include/magic.h). */
export const HEAD_MAGICS = { common: 0x54564319, service: 0x55105940 } as const;

/** What the first words of an image say. */
export interface ImageHeader {
  readonly kind: ImageKind;
  readonly byteOrder: ByteOrder;
  /** `V1` has the kind's magic alone (criu before 1.6, and every inventory), `V1.1` a head magic before it. */
  readonly envelope: "V1" | "V1.1";
  /** The head magic that is there; the kind says which one criu writes. */
  readonly head: ImageKind["head"];
  /** Bytes before the first record. */
  readonly size: number;
}

const kindsByMagic = groupByMagic();

/**
 * Reads the magic words of an image. Two kinds may share a magic; then the file name decides, else the first in
 * the table. Undefined for a raw image, known by its name alone.
 * Errors: FormatError for an empty or truncated header and for a magic that no kind has.
 */
export function readHeader(source: ByteSource, fileName: string): ImageHeader | undefined {
  const byName = kindOfFileName(fileName);
  if (byName?.kind.magic === undefined && byName !== undefined) return undefined;
  if (source.size < 4)
    throw new FormatError(
      "TRUNCATED",
      `an image starts with a magic word of 4 bytes, the file has ${source.size}`,
      { file: source.name, offset: 0 },
    );
  const words = source.read(0, Math.min(8, source.size));
  for (const byteOrder of ["little-endian", "big-endian"] as const) {
    const first = readU32(words, byteOrder);
    if (first === HEAD_MAGICS.common || first === HEAD_MAGICS.service) {
      if (source.size < 8)
        throw new FormatError(
          "TRUNCATED",
          `the second magic word is cut off, the file has ${source.size} bytes`,
          { file: source.name, offset: 4 },
        );
      const magic = readU32(words, byteOrder, 4);
      const kind = pickKind(magic, byName?.kind, source.name, 4);
      const head = first === HEAD_MAGICS.common ? "common" : "service";
      return { kind, byteOrder, envelope: "V1.1", head, size: 8 };
    }
    if (kindsByMagic.has(first))
      return {
        kind: pickKind(first, byName?.kind, source.name, 0),
        byteOrder,
        envelope: "V1",
        head: "none",
        size: 4,
      };
  }
  throw new FormatError(
    "INVALID",
    `0x${readU32(words, "little-endian").toString(16)} is no magic of a CRIU image${expected(byName?.kind)}`,
    { file: source.name, offset: 0 },
  );
}

/** The kind that a file name belongs to and the id in it; undefined for other names. */
export function kindOfFileName(
  fileName: string,
):
  | { readonly kind: ImageKind; readonly id: number | undefined; readonly idText: string | undefined }
  | undefined {
  for (const { kind, pattern, radix } of namePatterns) {
    const match = pattern.exec(fileName);
    if (match !== null)
      return {
        kind,
        id: match[1] === undefined || radix === undefined ? undefined : Number.parseInt(match[1], radix),
        idText: match[1],
      };
  }
  return undefined;
}

/** What crit's JSON calls the magic of a kind: of several kinds with one magic, the name of the first. */
export function magicName(kind: ImageKind): string {
  return (kindsByMagic.get(kind.magic as number)?.[0] ?? kind).name;
}

/** The kind of that name, which is one with a magic; undefined for other names. */
export function kindOfMagicName(name: string): ImageKind | undefined {
  return IMAGE_KINDS.find((kind) => kind.name === name && kind.magic !== undefined);
}

/** The name of the image of that kind and id. */
export function fileNameOf(kind: ImageKind, id?: number): string {
  return kind.file.replace("%u", String(id)).replace("%x", id === undefined ? "" : id.toString(16));
}

export function readU32(bytes: Buffer, byteOrder: ByteOrder, at = 0): number {
  return byteOrder === "little-endian" ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

const namePatterns = IMAGE_KINDS.filter((kind) => kind.status !== "unused").map((kind) => ({
  kind,
  radix: kind.file.includes("%x") ? 16 : kind.file.includes("%u") ? 10 : undefined,
  pattern: new RegExp(
    `^${kind.file.replaceAll(".", "\\.").replace("%u", "([0-9]{1,20})").replace("%x", "([0-9a-f]{1,16})").replace("%s", "(dump|restore)")}$`,
  ),
}));

function pickKind(magic: number, byName: ImageKind | undefined, file: string, offset: number): ImageKind {
  if (byName?.magic === magic) return byName;
  const kind = kindsByMagic.get(magic)?.[0];
  if (kind === undefined)
    throw new FormatError(
      "INVALID",
      `0x${magic.toString(16)} is no magic of a CRIU image${expected(byName)}`,
      { file, offset },
    );
  return kind;
}

function expected(kind: ImageKind | undefined): string {
  return kind?.magic === undefined ? "" : `; 0x${kind.magic.toString(16)} (${kind.name}) was expected`;
}

function groupByMagic(): ReadonlyMap<number, readonly ImageKind[]> {
  const groups = new Map<number, ImageKind[]>();
  for (const kind of IMAGE_KINDS)
    if (kind.magic !== undefined) groups.set(kind.magic, [...(groups.get(kind.magic) ?? []), kind]);
  return groups;
}
