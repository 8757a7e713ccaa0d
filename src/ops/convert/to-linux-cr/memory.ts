import { IMAGES } from "../../../formats/criu/images.js";
import type { MmEntry } from "../../../formats/criu/tables/mm.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { VMA_TYPE } from "../../../formats/linux-cr/tables/memory.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { FormatError } from "../../../io/errors.js";
import { wordBytes } from "../../../io/words.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { decodeMappings, decodeMm } from "../../../model/criu/mappings.js";
import {
  encodeGuardArea,
  encodeMapping,
  encodeMm,
  type MappedObject,
} from "../../../model/linux-cr/mappings.js";
import type { Mapping } from "../../../model/mapping.js";
import type { Context } from "./context.js";
import { writeFile } from "./files.js";
import { isSharedAnonymous } from "./mapped-objects.js";
import { privatePages, StoredPages, segmentPages } from "./pages.js";
import type { LiveThread } from "./source-task.js";

const UNIT = BigInt(PAGE_SIZE);
const LDT_ENTRY_BYTES = 8;

/** Mappings that a stream has no record for: what they are, and why. */
const LOST: Readonly<Partial<Record<Mapping["kind"], readonly [what: string, why: string]>>> = {
  socket: ["a ring of a packet socket", "a stream has no packet sockets"],
  aio: ["a ring of asynchronous I/O", "a stream has no contexts of asynchronous I/O"],
  "shadow stack": ["a shadow stack", "processors of 2011 had none"],
  uprobes: ["the area of uprobes", "it belongs to the kernel of the dump"],
};

/** MM object of a process: marks, auxiliary vector, mappings and pages. */
export function writeMemory(context: Context, thread: LiveThread): number {
  const { pid } = thread.process;
  return context.ref("MM", pid, () => {
    const mm = context.set.required(IMAGES.MM, pid);
    const all = mappingsOf(context, pid, mm, thread.label);
    const mappings = all.filter(({ kind }) => kind !== "guard");
    writeMarks(context, pid, mm, mappings.length);
    const pages =
      context.set.image(IMAGES.PAGEMAP, pid) && new StoredPages(context, IMAGES.PAGEMAP, pid, thread.label);
    const vdso = mappings.find(({ kind }) => kind === "vdso");
    for (const mapping of mappings)
      writeMapping(context, mapping, backingOf(context, mapping, vdso), pages, thread.label);
    context.writer.record(RECORDS.MM_CONTEXT, { vdso: vdso?.start ?? 0n, ldt_entry_size: LDT_ENTRY_BYTES });
    context.writer.record(RECORDS.MM_CONTEXT_LDT);
    context.writer.records(all.filter(({ kind }) => kind === "guard").map(encodeGuardArea));
  });
}

/** What can be expressed, ascending. */
function mappingsOf(context: Context, pid: number, mm: MmEntry, label: string): Mapping[] {
  const { set, losses, files } = context;
  if (mm.aios.length > 0)
    losses.add(label, `contexts of asynchronous I/O (${mm.aios.length})`, "a stream has no records for them");
  return decodeMappings(set, pid, mm.mm_start_stack, files.all)
    .filter(({ kind, start }) => {
      const lost = LOST[kind];
      if (lost !== undefined) losses.add(`${label} mapping 0x${start.toString(16)}`, ...lost);
      return lost === undefined;
    })
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

function writeMarks(context: Context, pid: number, mm: MmEntry, map_count: number): void {
  const { writer } = context;
  const exe_objref = writeFile(context, mm.exe_file_id);
  writer.record(RECORDS.MM, { map_count, exe_objref, ...encodeMm(decodeMm(mm, pid)) });
  const auxv = wordBytes("u64", mm.mm_saved_auxv, "word of an auxiliary vector");
  writer.buffer(Buffer.concat([auxv], Math.max(auxv.length, context.auxvEntries * 8)));
}

function writeMapping(
  context: Context,
  mapping: Mapping,
  { segment, ...object }: Backing,
  stored: StoredPages | undefined,
  label: string,
): void {
  const { writer } = context;
  assertWholePages(context, mapping, label);
  const { vma, extra, text, isPlain } = encodeMapping(mapping, object);
  writer.record(RECORDS.VMA, vma);
  if (!isPlain) writer.record(RECORDS.VMA_EXTRA, extra, textPayload(RECORDS.VMA_EXTRA, text));
  const { start, end } = mapping;
  const type = vma.vma_type;
  if (segment !== undefined) writer.pages(segmentPages(context, segment, vma.ino_size), 1n);
  else if (type === VMA_TYPE.anonymous || type === VMA_TYPE.privateFile || type === VMA_TYPE.vdso)
    writer.pages(
      stored === undefined ? [] : privatePages(stored, start, end, type === VMA_TYPE.privateFile),
      UNIT,
    );
}

interface Backing extends MappedObject {
  /** Shared segment whose pages follow, at its first mapping. */
  readonly segment?: number;
}

/** What a mapping shows; the first vDSO is the one that tasks use. */
function backingOf(context: Context, mapping: Mapping, vdso: Mapping | undefined): Backing {
  const { kind, fileId = 0, shmid = 0n } = mapping;
  const segment = Number(shmid);
  switch (kind) {
    case "vdso":
      return { isAgain: mapping !== vdso };
    case "memfd":
    case "file": {
      const memory = kind === "memfd" ? context.mapped.memory(fileId) : undefined;
      if (memory !== undefined && isSharedAnonymous(memory))
        return sharedMemory(context, `memory ${memory.inode_id}`, memory.shmid, memory.size);
      const regular = kind === "file" ? (mapping.file?.record as RegFileEntry | undefined) : undefined;
      const file = writeFile(context, fileId);
      const key = memory === undefined ? `file ${regular?.name ?? fileId}` : `memfd ${memory.inode_id}`;
      const inode = mapping.shared ? context.hidden("INODE", key).objref : 0;
      return { file, inode, size: memory?.size ?? regular?.size ?? 0n };
    }
    case "SysV": {
      const isAgain = !context.isFirst(`attached ${segment}`);
      const { objref: inode } = context.hidden("INODE", `sysv ${segment}`);
      return { inode, size: context.mapped.segmentSize(segment), isAgain };
    }
    case "shared anonymous":
      return sharedMemory(context, `shmem ${segment}`, segment, context.mapped.segmentSize(segment));
    default:
      return {};
  }
}

/** Its contents stand behind the first mapping that is met. */
function sharedMemory(context: Context, key: string, segment: number, size: bigint): Backing {
  const { objref: inode, isNew } = context.hidden("INODE", key);
  return { inode, size, isAgain: !isNew, ...(isNew ? { segment } : {}) };
}

function assertWholePages({ set }: Context, { start, end, offset }: Mapping, label: string): void {
  if (end > start && start % UNIT === 0n && end % UNIT === 0n && offset % UNIT === 0n) return;
  throw new FormatError(
    "INVALID",
    `the mapping 0x${start.toString(16)}-0x${end.toString(16)} of ${label} is not a range of whole pages of ${PAGE_SIZE} bytes`,
    { file: set.name },
  );
}
