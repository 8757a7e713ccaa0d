import { kindOfFileName, magicName } from "../../formats/criu/detect.js";
import type { CriuImage } from "../../formats/criu/image.js";

/** Facts about an image file. Sizes are in bytes; fields that a raw image does not have are undefined. */
export interface ImageInfo {
  readonly file: string;
  readonly kind: string | undefined;
  readonly about: string | undefined;
  /** Name in crit. */
  readonly magic: string | undefined;
  /** Number of records, without payloads. */
  readonly count: number | undefined;
  readonly size: number;
  readonly payloadSize: number | undefined;
  readonly envelope: "V1" | "V1.1" | undefined;
  readonly byteOrder: "little-endian" | "big-endian" | undefined;
  /** What the number in the file name identifies, and the number; undefined for names without. */
  readonly belongsTo: { readonly what: string; readonly id: number } | undefined;
  readonly since: string | undefined;
  /** Whether criu still writes this kind. */
  readonly isOld: boolean;
}

/** Reads an image through to count its records. Errors: FormatError for a damaged one. */
export function imageInfo(image: CriuImage): ImageInfo {
  const { header, source, fileName } = image;
  const named = kindOfFileName(fileName);
  const kind = image.kind ?? named?.kind;
  let count = 0;
  let payloadSize = 0;
  for (const record of image.readRecords()) {
    count++;
    payloadSize += record.end - record.offset - record.size;
  }
  return {
    file: source.name,
    kind: kind?.name,
    about: kind?.doc,
    magic: image.kind === undefined ? undefined : magicName(image.kind),
    count: header === undefined ? undefined : count,
    size: source.size,
    payloadSize: header === undefined ? undefined : payloadSize,
    envelope: header?.envelope,
    byteOrder: header?.byteOrder,
    belongsTo: named?.id === undefined ? undefined : { what: named.kind.scope, id: named.id },
    since: kind?.since,
    isOld: kind?.status === "old",
  };
}
