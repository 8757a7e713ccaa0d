import type { ByteOrder } from "../../io/byte-order.js";
import { FormatError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import type { ImageKind } from "./image-kind.js";
import { IMAGE_KINDS } from "./images.js";

/** First word of every image except the inventory since criu 1.6, by the kind's `head` (criu/include/magic.h). */
export const HEAD_MAGICS = { common: 0x54564319, service: 0x55105940 } as const;

/** The header of an image. */
export interface ImageHeader {
  readonly kind: ImageKind;
  readonly byteOrder: ByteOrder;
  /** `V1` has only the kind's magic (criu before 1.6, and every inventory), `V1.1` a head magic before it. */
  readonly envelope: "V1" | "V1.1";
  /** The head magic found; the kind has the one that criu writes. */
  readonly head: ImageKind["head"];
  /** Bytes before the first record. */
  readonly size: number;
}

const kindsByMagic = groupByMagic();

/**
 * Reads the magic words of an image. If kinds share a magic, the file name decides, else the first in the table is used.
 * Undefined for a raw image, known only by its name.
 * Errors: FormatError for an empty or truncated header and for an unknown magic.
 */
export function readHeader(source: ByteSource, fileName: string): ImageHeader | undefined {
  const byName = kindOfFileName(fileName);
  if (byName?.kind.magic === undefined && byName !== undefined) return undefined;
  if (source.size < 4)
    throw new FormatError("TRUNCATED", `truncated: no magic (${source.size} bytes, expected at least 4)`, {
      file: source.name,
      offset: 0,
    });
  const words = source.read(0, Math.min(8, source.size));
  for (const byteOrder of ["little-endian", "big-endian"] as const) {
    const first = readU32(words, byteOrder);
    if (first === HEAD_MAGICS.common || first === HEAD_MAGICS.service) {
      if (source.size < 8)
        throw new FormatError(
          "TRUNCATED",
          `truncated: no second magic (${source.size} bytes, expected at least 8)`,
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
    `not a CRIU image (magic 0x${readU32(words, "little-endian").toString(16)}${expected(byName?.kind)})`,
    { file: source.name, offset: 0 },
  );
}

/** The kind and id of a file name; undefined for other names. */
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

/** The name of the magic of a kind in crit's JSON; for several kinds with one magic, that of the first. */
export function magicName(kind: ImageKind): string {
  return (kindsByMagic.get(kind.magic as number)?.[0] ?? kind).name;
}

/** The kind with a magic of that name; undefined for other names. */
export function kindOfMagicName(name: string): ImageKind | undefined {
  return IMAGE_KINDS.find((kind) => kind.name === name && kind.magic !== undefined);
}

/** The file name of the image of that kind and id. */
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
    throw new FormatError("INVALID", `not a CRIU image (magic 0x${magic.toString(16)}${expected(byName)})`, {
      file,
      offset,
    });
  return kind;
}

function expected(kind: ImageKind | undefined): string {
  return kind?.magic === undefined ? "" : `, expected 0x${kind.magic.toString(16)} for ${kind.name}`;
}

function groupByMagic(): ReadonlyMap<number, readonly ImageKind[]> {
  const groups = new Map<number, ImageKind[]>();
  for (const kind of IMAGE_KINDS)
    if (kind.magic !== undefined) groups.set(kind.magic, [...(groups.get(kind.magic) ?? []), kind]);
  return groups;
}
