import { createHash } from "node:crypto";
import type { CriuImage } from "../../formats/criu/image.js";
import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import { isCrimgError } from "../../io/errors.js";
import { READ_WINDOW_BYTES } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import { ReadWindow } from "../../io/window.js";

/** Where a part of a file ends, and the first 16 hexadecimal digits of its SHA-256, which only tell where a file differs. */
export type SealedPart = readonly [end: number, digest: string];

/** A file in parts without a gap: its header, records (with all that follows one), and 1 MiB at a time of what else there is. */
export interface SealedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  /** Which part is record 0. */
  readonly firstRecord: number;
  readonly records: number;
  /** Of a file with very many: how many records are one part. */
  readonly together: number;
  readonly parts: readonly SealedPart[];
}

/** How a file is cut into parts. */
export interface Cuts extends Pick<SealedFile, "firstRecord" | "records" | "together"> {
  readonly ends: readonly number[];
}

const BLOCK_BYTES = 1024 * 1024;
const PART_DIGITS = 16;

/** The parts of an image; of a damaged one blocks from where it cannot be read. */
export function cutsOfImage(image: CriuImage): Cuts {
  const ends: number[] = [];
  let header = 0;
  try {
    for (const { offset, end } of image.readRecords()) {
      if (ends.length === 0) header = offset - SIZE_WORD;
      ends.push(end);
    }
  } catch (error) {
    if (!isCrimgError(error) || error.code === "IO") throw error;
  }
  return cutsOf(ends, image.source.size, header);
}

/** A record of an image begins with its size. */
const SIZE_WORD = 4;

/** The records of a stream, each with the page behind it. */
export function cutsOfStream(image: LinuxCrImage): Cuts {
  const ends: number[] = [];
  for (let index = 0; index < image.length; index++) {
    const { offset, size } = image.range(index);
    ends.push(offset + size + (image.rawPage(index)?.size ?? 0));
  }
  return cutsOf(ends, image.source.size, 0);
}

/** More records than this are sealed several together, so that a seal stays small. */
const MAX_PARTS = 64 * 1024;

function cutsOf(records: readonly number[], size: number, header: number): Cuts {
  const together = Math.ceil(records.length / MAX_PARTS) || 1;
  const ends = records.filter((_, i) => (i + 1) % together === 0 || i + 1 === records.length);
  if (header > 0) ends.unshift(header);
  return {
    ...{ firstRecord: header > 0 ? 1 : 0, records: records.length, together },
    ends: withBlocks(ends, size),
  };
}

/** Blocks of a file that has no records. */
export function cutsOfBytes(source: ByteSource): Cuts {
  return { firstRecord: 0, records: 0, together: 1, ends: withBlocks([], source.size) };
}

function withBlocks(ends: number[], size: number): number[] {
  for (let at = ends.at(-1) ?? 0; at < size; ) {
    at = Math.min(size, at + BLOCK_BYTES);
    ends.push(at);
  }
  return ends;
}

/** Reads a file once. Parts beyond its end are left out. */
export function sealFile(name: string, source: ByteSource, { ends, ...cuts }: Cuts): SealedFile {
  const whole = createHash("sha256");
  const window = new ReadWindow(source, true);
  const parts: SealedPart[] = [];
  let at = 0;
  const hashTo = (end: number): string => {
    const part = createHash("sha256");
    while (at < end) {
      const bytes = window.read(at, Math.min(READ_WINDOW_BYTES, end - at));
      whole.update(bytes);
      part.update(bytes);
      at += bytes.length;
    }
    return part.digest("hex").slice(0, PART_DIGITS);
  };
  for (const end of ends) if (end <= source.size) parts.push([end, hashTo(end)]);
  hashTo(source.size);
  return { ...cuts, name, size: source.size, sha256: whole.digest("hex"), parts };
}

/** What a part is: its records, the header, or bytes without a record. */
export function partName({ firstRecord, records, together, parts }: SealedFile, index: number): string {
  const first = (index - firstRecord) * together;
  if (first < 0) return "header";
  if (first < records)
    return together === 1 ? `record ${first}` : `records ${first}-${Math.min(records, first + together) - 1}`;
  return `bytes ${parts[index - 1]?.[0] ?? 0}-${parts[index]?.[0] ?? 0}`;
}
