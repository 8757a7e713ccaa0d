import { FormatError } from "../../../io/errors.js";
import { MAX_SPARSE_PARTS } from "../../../io/limits.js";
import type { ByteSource } from "../../../io/source.js";
import { readStruct } from "../../../schema/struct-reader.js";
import { BLOCK_BYTES, GNU_SPARSE_BLOCK, GNU_SPARSE_HEADER } from "./header.js";
import type { DataPart } from "./member.js";
import { tarNumber } from "./numbers.js";
import { type PaxRecords, paxNumber } from "./pax.js";

/** What is stored of a sparse member. */
export interface SparseMap {
  /** Bytes of the file, holes included. */
  readonly size: number;
  readonly parts: readonly DataPart[];
  /** Blocks between the header and the data, which hold the map, in bytes. */
  readonly mapBytes: number;
}

/** Where the header of a member is, for messages and reading on. */
export interface HeaderPlace {
  readonly source: ByteSource;
  /** Offset behind the header. */
  readonly end: number;
}

/** The map in and behind an old GNU header, typeflag S. Errors: FormatError. */
export function gnuSparseMap(header: Buffer, { source, end }: HeaderPlace): SparseMap {
  const number = (field: Buffer): number => tarNumber(field, "sparse map", source.name, end - BLOCK_BYTES);
  const { sparse, isextended, realsize } = readStruct(GNU_SPARSE_HEADER, header, "little-endian");
  const fields = [...sparse];
  let mapBytes = 0;
  for (let more = isextended === 1; more; ) {
    const block = readStruct(GNU_SPARSE_BLOCK, source.read(end + mapBytes, BLOCK_BYTES), "little-endian");
    fields.push(...block.sparse);
    mapBytes += BLOCK_BYTES;
    more = block.isextended === 1;
    if (fields.length > MAX_SPARSE_PARTS) throw tooMany(source.name, end);
  }
  const parts = fields
    .filter(({ numbytes }) => numbytes[0] !== 0)
    .map(({ offset, numbytes }) => ({ at: number(offset), size: number(numbytes) }));
  return checked({ size: number(realsize), parts, mapBytes }, source.name, end);
}

/** The map of a sparse member in PAX records, GNU formats 0.0, 0.1 and 1.0; undefined without one. Errors: FormatError. */
export function paxSparseMap(pax: PaxRecords, { source, end }: HeaderPlace): SparseMap | undefined {
  const one = (key: string): Buffer | undefined => pax.get(`GNU.sparse.${key}`)?.at(-1);
  const size = one("realsize") ?? one("size");
  if (size === undefined) return undefined;
  const number = (value: Buffer, key: string): number => paxNumber(value, key, source.name, end);
  const realSize = number(size, "GNU.sparse.realsize");
  const made = (numbers: readonly number[], mapBytes: number): SparseMap =>
    checked({ size: realSize, parts: pairs(numbers, source.name, end), mapBytes }, source.name, end);
  const map = one("map");
  if (map !== undefined) return made(decimals(map.toString("latin1").split(","), source.name, end), 0);
  if (one("major") !== undefined) return mapInData(made, { source, end });
  const offsets = pax.get("GNU.sparse.offset") ?? [];
  const sizes = pax.get("GNU.sparse.numbytes") ?? [];
  return made(
    offsets.flatMap((offset, i) => [
      number(offset, "GNU.sparse.offset"),
      number(sizes[i] ?? Buffer.alloc(0), "GNU.sparse.numbytes"),
    ]),
    0,
  );
}

/** Format 1.0: decimal lines at the start of the data, the number of parts first, padded to whole blocks. */
function mapInData(
  made: (numbers: readonly number[], mapBytes: number) => SparseMap,
  { source, end }: HeaderPlace,
): SparseMap {
  const numbers: number[] = [];
  let text = "";
  for (let mapBytes = 0; ; ) {
    text += source.read(end + mapBytes, BLOCK_BYTES).toString("latin1");
    mapBytes += BLOCK_BYTES;
    const lines = text.split("\n");
    text = lines.pop() as string;
    for (const value of decimals(lines, source.name, end)) {
      numbers.push(value);
      if ((numbers[0] as number) > MAX_SPARSE_PARTS) throw tooMany(source.name, end);
      if (numbers.length === 1 + 2 * (numbers[0] as number)) return made(numbers.slice(1), mapBytes);
    }
  }
}

function decimals(texts: readonly string[], file: string, offset: number): number[] {
  return texts.map((text) => paxNumber(Buffer.from(text, "latin1"), "sparse map", file, offset));
}

function pairs(numbers: readonly number[], file: string, offset: number): DataPart[] {
  if (numbers.length % 2 !== 0) throw invalid("a part has no size", file, offset);
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    at: numbers[2 * i] as number,
    size: numbers[2 * i + 1] as number,
  }));
}

/** Errors: FormatError INVALID unless the parts ascend and end within the file. */
function checked(map: SparseMap, file: string, offset: number): SparseMap {
  let end = 0;
  for (const { at, size } of map.parts) {
    if (at < end)
      throw invalid(`a part at ${at} begins before the end of the one before, ${end}`, file, offset);
    end = at + size;
  }
  if (end > map.size) throw invalid(`its parts end at ${end}, the file at ${map.size}`, file, offset);
  return map;
}

function invalid(why: string, file: string, offset: number): FormatError {
  return new FormatError("INVALID", `invalid map of a sparse tar member: ${why}`, { file, offset });
}

function tooMany(file: string, offset: number): FormatError {
  return new FormatError("TOO_LARGE", `sparse tar member of more than ${MAX_SPARSE_PARTS} parts`, {
    file,
    offset,
  });
}
