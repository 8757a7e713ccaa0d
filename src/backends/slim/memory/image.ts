import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { decodeMappings, decodeMm } from "../../../model/linux-cr/mappings.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { SavedPages } from "../../../model/linux-cr/saved-pages.js";
import { Segments } from "../../../model/linux-cr/segments.js";
import type { Mapping, MemoryDescriptor } from "../../../model/mapping.js";
import type { FileTable } from "../../../model/open-file.js";
import type { AddressRange } from "../../../model/origin.js";
import type { PageRange } from "../proc/pagemap.js";

/** Pages whose contents stand in the image from `offset` on. */
export interface SavedRange extends PageRange {
  readonly offset: number;
}

export interface ImageVma {
  readonly start: number;
  readonly end: number;
  readonly kind: Mapping["kind"];
  /** VM_ bits. */
  readonly flags: bigint;
  /** Bit n for advice n of madvise(2). */
  readonly advice: bigint;
  /** In the file or the shared object, in bytes. */
  readonly offset: number;
  /** FILE that is mapped, 0 for none. */
  readonly file: number;
  /** Number of the shared object, 0 for none. */
  readonly object: number;
  readonly objectSize: number;
  readonly pages: readonly SavedRange[];
  /** The System V segment that it is, whose contents are those of `object`. */
  readonly segment: RecordValue<typeof RECORDS.SYSV_SEGMENT> | undefined;
  /** MAP_DROPPABLE of mmap(2). */
  readonly isDroppable: boolean;
  /** Ranges of guard pages in it. */
  readonly guards: readonly PageRange[];
}

/** Whether it shows an open file. */
export function isFileVma({ kind }: Pick<ImageVma, "kind">): boolean {
  return kind === "file" || kind === "memfd";
}

export interface ImageMemory {
  readonly mm: MemoryDescriptor;
  /** FILE of the program. */
  readonly exe: number;
  readonly auxv: Buffer;
  readonly vmas: readonly ImageVma[];
}

/** An address space of the image. Errors: FormatError for a damaged image. */
export function imageMemory(reader: StreamReader, objref: number, files: FileTable): ImageMemory {
  const part = reader.object(objref, "MM");
  if (part === undefined) throw reader.image.error(0, `there is no address space ${objref}`);
  const { value, index } = reader.get(part, RECORDS.MM);
  const mappings = [...decodeMappings(reader, part, files, new Segments(reader))];
  // The list is made anew at every look at it.
  const { parts } = part;
  const guardsIn = overlapsWith(mappings.splice(parts.length));
  return {
    mm: decodeMm(reader, part),
    exe: value.exe_objref,
    auxv: reader.image.bytes(index + 1),
    vmas: mappings.flatMap((mapping, i) => vmaOf(reader, parts[i] as Part, mapping, guardsIn) ?? []),
  };
}

/** Ascending, and those that overlap as one: of many that are all the same each mapping would get all. */
function disjoint(ranges: PageRange[]): PageRange[] {
  const all: PageRange[] = [];
  for (const { start, end } of ranges.sort((a, b) => a.start - b.start)) {
    const last = all.at(-1);
    if (last === undefined || start > last.end) all.push({ start, end });
    else if (end > last.end) all[all.length - 1] = { start: last.start, end };
  }
  return all;
}

/** Gives the parts of guard areas that lie in each of the ranges that are asked for in ascending order. */
function overlapsWith(areas: readonly AddressRange[]): (start: number, end: number) => PageRange[] {
  const all = disjoint(areas.map(({ start, end }) => ({ start: Number(start), end: Number(end) })));
  let first = 0;
  return (start, end) => {
    while (first < all.length && (all[first] as PageRange).end <= start) first++;
    const found: PageRange[] = [];
    for (let i = first; i < all.length && (all[i] as PageRange).start < end; i++) {
      const area = all[i] as PageRange;
      found.push({ start: Math.max(start, area.start), end: Math.min(end, area.end) });
    }
    return found;
  };
}

function vmaOf(
  reader: StreamReader,
  part: Part,
  mapping: Mapping,
  guardsIn: (start: number, end: number) => PageRange[],
): ImageVma | undefined {
  const { kind, flags, advice, fileId = 0, shmid = 0n, isDroppable } = mapping;
  if (kind === "vsyscall") return undefined;
  const [start, end, objectSize] = [
    Number(mapping.start),
    Number(mapping.end),
    Number(reader.get(part, RECORDS.VMA).value.ino_size),
  ];
  return {
    ...{ start, end, kind, flags, advice, isDroppable, objectSize },
    offset: Number(mapping.offset),
    file: fileId,
    object: Number(shmid),
    segment: reader.find(part, RECORDS.SYSV_SEGMENT)?.value,
    guards: guardsIn(start, end),
    pages:
      kind === "shared anonymous"
        ? savedRanges(reader, part, "indexes", 0, Math.ceil(objectSize / PAGE_SIZE))
        : savedRanges(reader, part, "addresses", start / PAGE_SIZE, end / PAGE_SIZE),
  };
}

/** Saved pages as byte ranges: addresses, or offsets in the shared object. */
export function savedRanges(
  reader: StreamReader,
  part: Part,
  keys: "addresses" | "indexes",
  from: number,
  to: number,
): SavedRange[] {
  if (part.pageArrays.length === 0) return [];
  const ranges: SavedRange[] = [];
  for (const { page, pages, offset } of new SavedPages(reader, part, keys).runs(from, to, PAGE_SIZE))
    if (offset !== undefined)
      ranges.push({ start: page * PAGE_SIZE, end: (page + pages) * PAGE_SIZE, offset });
  return ranges;
}
