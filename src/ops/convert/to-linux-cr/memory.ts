import { IMAGES } from "../../../formats/criu/images.js";
import type { MmEntry, VmaEntry } from "../../../formats/criu/tables/mm.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { FormatError } from "../../../io/errors.js";
import { wordBytes } from "../../../io/words.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { decodeMm } from "../../../model/criu/mappings.js";
import { encodeMm } from "../../../model/linux-cr/mappings.js";
import type { Context } from "./context.js";
import { writeFile } from "./files.js";
import { isSharedAnonymous } from "./mapped-objects.js";
import { privatePages, StoredPages, segmentPages } from "./pages.js";
import type { LiveThread } from "./source-task.js";
import { hugeShift, isExpressible, pageProtection, STATUS, VMA_TYPE, vmaExtra, vmFlags } from "./vma.js";

const UNIT = BigInt(PAGE_SIZE);
/** Bits of MM.flags: what may be dumped, then which memory a core dump has; criu does not store the latter. */
const DUMPABLE_BITS = 2n;
const USUAL_CORE_FILTER = 0x33n;
const LDT_ENTRY_BYTES = 8;

/** MM object of a process: marks, auxiliary vector, mappings and pages. */
export function writeMemory(context: Context, thread: LiveThread): number {
  const { pid } = thread.process;
  return context.ref("MM", pid, () => {
    const mm = context.set.required(IMAGES.MM, pid);
    const mappings = mappingsOf(context, pid, mm, thread.label);
    writeMarks(context, pid, mm, mappings.length);
    const pages =
      context.set.image(IMAGES.PAGEMAP, pid) && new StoredPages(context, IMAGES.PAGEMAP, pid, thread.label);
    const vdso = mappings.find(({ status }) => (status & STATUS.vdso) !== 0);
    for (const vma of mappings) writeMapping(context, vma, vma === vdso, pages, thread.label);
    context.writer.record(RECORDS.MM_CONTEXT, { vdso: vdso?.start ?? 0n, ldt_entry_size: LDT_ENTRY_BYTES });
    context.writer.record(RECORDS.MM_CONTEXT_LDT);
  });
}

/** What can be expressed, ascending. Old sets keep the mappings in an image of their own. */
function mappingsOf(context: Context, pid: number, mm: MmEntry, label: string): VmaEntry[] {
  const { set, losses } = context;
  const all = mm.vmas.length > 0 ? mm.vmas : set.records(IMAGES.VMAS, pid).map(({ value }) => value);
  if (mm.aios.length > 0)
    losses.add(label, `contexts of asynchronous I/O (${mm.aios.length})`, "a stream has no records for them");
  const guards = all.filter(({ status }) => (status & STATUS.guard) !== 0);
  if (guards.length > 0)
    losses.add(label, `areas of guard pages (${guards.length})`, "a stream has no records for them");
  return all
    .filter((vma) => (vma.status & STATUS.guard) === 0 && isExpressible(context, vma, label))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

function writeMarks(context: Context, pid: number, mm: MmEntry, map_count: number): void {
  const { writer } = context;
  const exe_objref = writeFile(context, mm.exe_file_id);
  writer.record(RECORDS.MM, {
    map_count,
    exe_objref,
    flags: BigInt(mm.dumpable ?? 1) | (USUAL_CORE_FILTER << DUMPABLE_BITS),
    ...encodeMm(decodeMm(mm, pid)),
  });
  const auxv = wordBytes("u64", mm.mm_saved_auxv, "word of an auxiliary vector");
  writer.buffer(Buffer.concat([auxv], Math.max(auxv.length, context.auxvEntries * 8)));
}

function writeMapping(
  context: Context,
  vma: VmaEntry,
  isVdso: boolean,
  stored: StoredPages | undefined,
  label: string,
): void {
  const { writer } = context;
  const { start, end, pgoff } = vma;
  assertWholePages(context, vma, label);
  const { segment, ...fields } = backingOf(context, vma, isVdso);
  const type = fields.vma_type;
  writer.record(RECORDS.VMA, {
    ...fields,
    vm_start: start,
    vm_end: end,
    vm_page_prot: pageProtection(vma),
    vm_flags: vmFlags(vma),
    vm_pgoff: pgoff / UNIT,
    hugetlb_shift: hugeShift(vma),
  });
  const extra = vmaExtra(vma, type === VMA_TYPE.vdso);
  if (extra !== undefined)
    writer.record(RECORDS.VMA_EXTRA, extra.fields, textPayload(RECORDS.VMA_EXTRA, extra.name));
  if (segment !== undefined) writer.pages(segmentPages(context, segment, fields.ino_size), 1n);
  else if (type === VMA_TYPE.anonymous || type === VMA_TYPE.file || type === VMA_TYPE.vdso)
    writer.pages(stored === undefined ? [] : privatePages(stored, start, end, type === VMA_TYPE.file), UNIT);
}

interface Backing {
  readonly vma_type: number;
  readonly vma_objref: number;
  readonly ino_objref: number;
  readonly ino_size: bigint;
  /** Shared segment whose pages follow, at its first mapping. */
  readonly segment?: number;
}

/** What a mapping shows: where no type of a stream fits, `ignore`. */
function backingOf(context: Context, vma: VmaEntry, isVdso: boolean): Backing {
  const { status } = vma;
  const none = { vma_objref: 0, ino_objref: 0, ino_size: 0n };
  if ((status & (STATUS.vvar | STATUS.vsyscall)) !== 0) return { vma_type: VMA_TYPE.ignore, ...none };
  if (isVdso) return { vma_type: VMA_TYPE.vdso, ...none };
  const id = Number(vma.shmid);
  const memory = (status & STATUS.memfd) !== 0 ? context.mapped.memory(id) : undefined;
  if (memory !== undefined && isSharedAnonymous(memory))
    return sharedMemory(context, `memory ${memory.inode_id}`, memory.shmid, memory.size);
  if ((status & STATUS.sysv) !== 0) return sysv(context, id);
  if ((status & (STATUS.filePrivate | STATUS.fileShared)) !== 0) {
    const isShared = (status & STATUS.fileShared) !== 0;
    const vma_objref = writeFile(context, id);
    const inode =
      memory === undefined ? `file ${context.mapped.regular(id)?.name ?? id}` : `memfd ${memory.inode_id}`;
    return {
      vma_type: isShared ? VMA_TYPE.sharedFile : VMA_TYPE.file,
      vma_objref,
      ino_objref: isShared ? context.hidden("INODE", inode).objref : 0,
      ino_size: memory?.size ?? context.mapped.regular(id)?.size ?? 0n,
    };
  }
  if ((status & STATUS.anonymousShared) !== 0)
    return sharedMemory(context, `shmem ${id}`, id, context.mapped.segmentSize(id));
  return { vma_type: VMA_TYPE.anonymous, ...none };
}

/** Its contents stand behind the first mapping that is met. */
function sharedMemory(context: Context, key: string, segment: number, ino_size: bigint): Backing {
  const { objref, isNew } = context.hidden("INODE", key);
  const common = { vma_objref: 0, ino_objref: objref, ino_size };
  return isNew
    ? { vma_type: VMA_TYPE.sharedAnonymous, ...common, segment }
    : { vma_type: VMA_TYPE.sharedAnonymousAgain, ...common };
}

/** Its contents stand in the IPC namespace. */
function sysv(context: Context, shmid: number): Backing {
  const { objref } = context.hidden("INODE", `sysv ${shmid}`);
  return {
    vma_type: context.isFirst(`attached ${shmid}`) ? VMA_TYPE.sysv : VMA_TYPE.sysvAgain,
    vma_objref: 0,
    ino_objref: objref,
    ino_size: context.mapped.segmentSize(shmid),
  };
}

function assertWholePages({ set }: Context, { start, end, pgoff }: VmaEntry, label: string): void {
  if (end > start && start % UNIT === 0n && end % UNIT === 0n && pgoff % UNIT === 0n) return;
  throw new FormatError(
    "INVALID",
    `the mapping 0x${start.toString(16)}-0x${end.toString(16)} of ${label} is not a range of whole pages of ${PAGE_SIZE} bytes`,
    { file: set.name },
  );
}
