import { IMAGES } from "../../../formats/criu/images.js";
import { MM_ENTRY, type VmaEntry } from "../../../formats/criu/tables/mm.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { VMA_TYPE } from "../../../formats/linux-cr/tables/memory.js";
import { encodeMapping, encodeMm } from "../../../model/criu/mappings.js";
import { decodeMappings, decodeMm } from "../../../model/linux-cr/mappings.js";
import type { Process } from "../../../model/linux-cr/pids.js";
import { Segments } from "../../../model/linux-cr/segments.js";
import type { Mapping } from "../../../model/mapping.js";
import type { ToCriu } from "./context.js";
import { PageRuns, writePages } from "./pages.js";
import { sharedAnonymous } from "./shared-memory.js";

/** mm-PID.img and the private pages of a process. */
export function writeMemory(context: ToCriu, { ids, part }: Process, mm: Part): void {
  const { reader, set } = context;
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  const pages = new PageRuns(reader);
  const vmas: VmaEntry[] = [];
  // Guard areas come last, and are no parts of their own.
  let nth = 0;
  // The list is made anew at every look at it.
  const { parts } = mm;
  for (const mapping of decodeMappings(reader, mm, context.checkpoint.files, new Segments(reader))) {
    const each = parts[nth++];
    const entry = each === undefined ? encodeMapping(mapping, 0n) : entryOf(context, mapping, each);
    if (entry === undefined) continue;
    vmas.push(entry);
    if (each !== undefined && reader.get(each, RECORDS.VMA).value.vma_type !== VMA_TYPE.sharedAnonymous)
      pages.add(each, "addresses");
  }
  set.add(IMAGES.MM, ids.pid, MM_ENTRY, {
    ...encodeMm(decodeMm(reader, mm)),
    exe_file_id: context.fileId(reader.get(mm, RECORDS.MM).value.exe_objref),
    vmas,
    aios: [],
    ...(extra === undefined ? {} : { thp_disabled: extra.thp_disabled === 1 }),
  });
  writePages(context, IMAGES.PAGEMAP, ids.pid, pages);
}

/** A mapping as criu stores it; undefined for one that it has no form for, which is then a loss. */
function entryOf(context: ToCriu, mapping: Mapping, part: Part): VmaEntry | undefined {
  const { kind, start, end } = mapping;
  const label = `mapping ${start.toString(16)}-${end.toString(16)}`;
  if (context.reader.find(part, RECORDS.SYSV_SEGMENT) !== undefined)
    context.losses.add(
      label,
      "that it is a System V segment, with its key and its id",
      "criu stores segments only with a whole IPC namespace: it becomes shared anonymous memory",
    );
  const entry = encodeMapping(mapping, objectOf(context, mapping, part));
  if (entry === undefined)
    context.losses.add(
      label,
      "the mapping",
      kind === VMA_TYPE.ignored
        ? "the stream does not say what it is"
        : `its kind (vma_type ${kind}) is not stored in a way that is known`,
    );
  return entry;
}

/** What a mapping has for a shmid. */
function objectOf(context: ToCriu, { kind, fileId = 0 }: Mapping, part: Part): bigint {
  const { index, value } = context.reader.get(part, RECORDS.VMA);
  switch (kind) {
    case "file":
    case "memfd":
      return BigInt(context.fileId(fileId));
    case "shared anonymous":
      return BigInt(sharedAnonymous(context, value.ino_objref, value.ino_size, part));
    case "SysV":
      return BigInt(context.sysVId(value.ino_objref, index));
    default:
      return 0n;
  }
}
