import { pageFormat } from "../../../formats/criu/compressed-pages.js";
import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { isLazyOnly, PE } from "../../../formats/criu/pagemap.js";
import { hasValidFlags, PageLayout } from "../../../formats/criu/pages-layout.js";
import { CrimgError, isCrimgError } from "../../../io/errors.js";
import type { SetContext } from "../context.js";
import type { Found, Place, Rule } from "../finding.js";
import { pageSize } from "../page-size.js";
import { type ScannedPagemap, scanImages } from "../scan.js";
import { strays } from "../tasks.js";
import { textOf } from "./framing.js";
import { range, storedVmas } from "./mappings.js";

const COPY = "Copy the pagemap and its pages file again from where the set was made.";
/** VMA_FILE_PRIVATE, VMA_ANON_PRIVATE, VMA_AREA_AIORING, VMA_AREA_SHSTK, VMA_AREA_VDSO: what a task's own pages belong to. */
const OWN_PAGES = 0x40 | 0x200 | 0x2000 | 0x8000 | 0x8;
const AREA_GUARD = 0x1_0000;
/** Flags that criu writes. */
const WRITTEN_FLAGS = new Set<number>([
  PE.PARENT,
  PE.PARENT | PE.LAZY,
  PE.LAZY,
  PE.PRESENT,
  PE.PRESENT | PE.LAZY,
]);

/** One pagemap with the pages file that it describes. */
export interface PagemapFile extends ScannedPagemap {
  readonly name: string;
  /** Pid of the task; undefined for shared memory. */
  readonly pid: number | undefined;
  readonly id: number;
  readonly pagesFile: string;
}

/** Rules about memory pages; no page is read. */
export const pageRules: readonly Rule<SetContext>[] = [
  {
    id: "PAGES_MISSING",
    level: "error",
    about: "The pages file that a pagemap names is in the set.",
    fix: "Copy the missing file from where the set was made.",
    *check(context) {
      const names = new Set(context.set.files.map(({ name }) => name));
      for (const { name, pid, pagesFile } of pagemaps(context))
        if (!names.has(pagesFile))
          yield {
            at: { image: name, record: 0, field: "pages_id", pid },
            what: "the pages file is missing",
            expected: pagesFile,
            found: "none",
          };
    },
  },
  {
    id: "PAGES_SHARED",
    level: "error",
    about: "Each pagemap has a pages file of its own.",
    fix: "crimg edit --set gives the pagemap the number of its own pages file.",
    *check(context) {
      const owners = new Map<string, string>();
      for (const { name, pid, pagesFile } of pagemaps(context)) {
        const owner = owners.get(pagesFile);
        if (owner === undefined) owners.set(pagesFile, name);
        else
          yield {
            at: { image: name, record: 0, field: "pages_id", pid },
            what: `${owner} names the same pages file`,
            found: pagesFile,
          };
      }
    },
  },
  {
    id: "PAGES_SIZE",
    level: "error",
    about: "A pages file has the bytes that its pagemap says, and no more.",
    fix: COPY,
    *check(context) {
      for (const map of pagemaps(context)) {
        const size = sizeOf(context, map.pagesFile);
        const expected = storedSize(context, map);
        if (size === undefined || typeof expected !== "number" || size === expected) continue;
        yield {
          at: { image: map.pagesFile, pid: map.pid },
          what:
            size < expected
              ? `the file is shorter than ${map.name} says: pages are lost`
              : `the file is longer than ${map.name} says: pages that no entry names`,
          expected: `${expected} bytes`,
          found: `${size} bytes`,
          level: size < expected ? "error" : "warning",
        };
      }
    },
  },
  {
    id: "PAGEMAP_BLOCKS",
    level: "error",
    about: "The blocks of compressed pages add up to what their entry says.",
    fix: COPY,
    *check(context) {
      for (const map of pagemaps(context)) {
        const size = storedSize(context, map);
        if (size instanceof CrimgError) yield { at: { image: map.name, pid: map.pid }, what: textOf(size) };
      }
    },
  },
  {
    id: "PAGEMAP_COUNT",
    level: "warning",
    about:
      "Each pagemap entry has pages: a tool older than criu 4.2 that rewrote the set has lost the counts.",
    fix: "Take the set as it was before that tool; the memory is not lost, but nothing says where it belongs.",
    *check(context) {
      for (const map of pagemaps(context))
        for (let i = 0; i < map.record.length; i++)
          if (map.entries.pages[i] === 0)
            yield { at: placeOf(map, i), what: "an entry without pages", expected: "1 or more", found: "0" };
    },
  },
  {
    id: "PAGEMAP_ORDER",
    level: "error",
    about: "Pagemap entries start on page boundaries, ascend and do not overlap.",
    fix: "crimg edit --set corrects the addresses; where pages are lost, checkpoint again.",
    *check(context) {
      const size = context.share(pageSize);
      for (const map of pagemaps(context)) {
        if (map.error !== undefined) yield { at: { image: map.name, pid: map.pid }, what: textOf(map.error) };
        let end = 0;
        for (let i = 0; i < map.record.length; i++) {
          const first = map.entries.firstPage(i, size);
          if (!(first >= end))
            yield {
              at: placeOf(map, i),
              what: Number.isNaN(first)
                ? "no page starts there"
                : "the entry overlaps another, or stands out of order",
              expected: Number.isNaN(first) ? `a multiple of ${size}` : `${hex(end, size)} or above`,
              found: `0x${(map.entries.vaddr[i] as bigint).toString(16)}`,
            };
          if (!Number.isNaN(first)) end = Math.max(end, first + (map.entries.pages[i] as number));
        }
      }
    },
  },
  {
    id: "PAGEMAP_FLAGS",
    level: "warning",
    about:
      "The flags of a pagemap entry say one place: this set, the parent, or the source of a lazy restore.",
    fix: "Restore with the criu that made the set; crimg edit --set corrects flags that were edited.",
    *check(context) {
      const isCompressed = (context.set.first(IMAGES.INVENTORY)?.compress ?? 0) !== 0;
      for (const map of pagemaps(context))
        for (let i = 0; i < map.record.length; i++) {
          const flags = map.entries.flags[i] as number;
          const isAligned = (flags & PE.PAYLOAD_ALIGNED) !== 0;
          const isValid = hasValidFlags(flags) && (isCompressed || !isAligned);
          if (!isValid || !WRITTEN_FLAGS.has((flags & ~PE.PAYLOAD_ALIGNED) >>> 0))
            yield {
              at: placeOf(map, i),
              what: isValid ? "flags that criu does not write" : "invalid flags",
              found: `0x${flags.toString(16)}`,
              level: isValid ? "warning" : "error",
            };
        }
    },
  },
  {
    id: "PAGEMAP_LAZY",
    level: "warning",
    about: "All pages are in the set: lazy ones without contents are still with the program's old host.",
    fix: "Start criu lazy-pages here while criu dump --lazy-pages still runs there, and name its directory to the restore; this set alone cannot be restored.",
    *check(context) {
      for (const map of pagemaps(context)) {
        let pages = 0;
        for (let i = 0; i < map.record.length; i++)
          if (isLazyOnly(map.entries.flags[i] as number)) pages += map.entries.pages[i] as number;
        if (pages > 0)
          yield {
            at: { image: map.name, pid: map.pid },
            what: "pages that are not in the set",
            found: `${pages} pages`,
            fix: `crimg restore ${context.quotedName} -- --work-dir DIR`,
          };
      }
    },
  },
  {
    id: "PAGEMAP_OUTSIDE",
    level: "error",
    about: "Pages of a task lie in its private mappings.",
    fix: "crimg edit --set corrects the addresses of the entry, or of the VMA that it belongs to.",
    *check(context) {
      for (const map of pagemaps(context)) if (map.pid !== undefined) yield* outside(context, map, map.pid);
    },
  },
];

/** The pagemaps whose head could be read. */
export function pagemaps(context: SetContext): readonly PagemapFile[] {
  return context.share(readPagemaps);
}

function readPagemaps(context: SetContext): readonly PagemapFile[] {
  return context.share(scanImages).flatMap(({ name, kind, id, pagemap }) =>
    pagemap === undefined || context.share(strays).has(name)
      ? []
      : [
          {
            ...pagemap,
            name,
            pid: kind === IMAGES.PAGEMAP ? id : undefined,
            id: id as number,
            pagesFile: fileNameOf(IMAGES.PAGES, pagemap.entries.pagesId),
          },
        ],
  );
}

function sizeOf({ set }: SetContext, file: string): number | undefined {
  try {
    return set.fileSet.open(file)?.size;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return undefined;
  }
}

/** Bytes that a pages file must have; an error where the entries contradict themselves, undefined where some are lost. */
function storedSize(
  context: SetContext,
  { name, entries, record, error }: PagemapFile,
): number | CrimgError | undefined {
  if (error !== undefined || context.set.damageOf(name).length > 0) return undefined;
  const size = context.share(pageSize);
  if (entries.blocks.size > 0) {
    try {
      return new PageLayout(entries, size, pageFormat(context.set)).size;
    } catch (problem) {
      if (!isCrimgError(problem)) throw problem;
      return problem;
    }
  }
  let pages = 0;
  for (let i = 0; i < record.length; i++)
    if (((entries.flags[i] as number) & PE.PRESENT) !== 0) pages += entries.pages[i] as number;
  return pages * size;
}

/** Entries that run out of the mappings which can have pages; mappings that touch count as one. */
function* outside(context: SetContext, map: PagemapFile, pid: number): Generator<Found> {
  const size = context.share(pageSize);
  let hasMappings = false;
  const areas: { start: number; end: number }[] = [];
  for (const { vma } of storedVmas(context, pid)) {
    hasMappings = true;
    if ((vma.status & OWN_PAGES) === 0 || (vma.status & AREA_GUARD) !== 0) continue;
    const start = Number(vma.start / BigInt(size));
    const end = Number(vma.end / BigInt(size));
    const last = areas.at(-1);
    if (last !== undefined && last.end === start) last.end = end;
    else areas.push({ start, end });
  }
  if (!hasMappings) return;
  let area = 0;
  for (let i = 0; i < map.record.length; i++) {
    const first = map.entries.firstPage(i, size);
    const end = first + (map.entries.pages[i] as number);
    while (area < areas.length && (areas[area]?.end as number) <= first) area++;
    const around = areas[area];
    if (around === undefined || first < around.start || end > around.end)
      yield {
        at: placeOf(map, i),
        what: "pages where the task has no private mapping",
        found: range(BigInt(first || 0) * BigInt(size), BigInt(end || 0) * BigInt(size)),
      };
  }
}

/** The record of an entry. */
export function placeOf(map: PagemapFile, i: number): Place {
  return { image: map.name, record: map.record[i], pid: map.pid };
}

function hex(page: number, size: number): string {
  return `0x${(BigInt(page) * BigInt(size)).toString(16)}`;
}
