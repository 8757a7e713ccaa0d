import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { MmEntry, VmaEntry } from "../../formats/criu/tables/mm.js";
import { MAP_GROWSDOWN, MAP_SHARED } from "../../linux/mman.js";
import type { Mapping, MappingKind, MemoryDescriptor } from "../checkpoint.js";
import type { FileTable, OpenFile } from "../open-file.js";

/** Bits of vma_entry.status, in the order in which they decide what the mapping is (criu/include/vma.h). */
const KINDS: readonly (readonly [bit: number, kind: MappingKind])[] = [
  [0x10000, "guard"],
  [0x8, "vdso"],
  [0x1000, "vvar"],
  [0x4, "vsyscall"],
  [0x2000, "aio"],
  [0x4000, "memfd"],
  [0x800, "socket"],
  [0x400, "SysV"],
  [0x40, "file"],
  [0x80, "file"],
  [0x100, "shared anonymous"],
];

const AREA_STACK = 0x2;
const AREA_HEAP = 0x20;

/** The marks of mm-PID.img. */
export function decodeMm(mm: MmEntry, pid: number): MemoryDescriptor {
  return {
    code: { start: mm.mm_start_code, end: mm.mm_end_code },
    data: { start: mm.mm_start_data, end: mm.mm_end_data },
    heap: { start: mm.mm_start_brk, end: mm.mm_brk },
    argv: { start: mm.mm_arg_start, end: mm.mm_arg_end },
    environ: { start: mm.mm_env_start, end: mm.mm_env_end },
    startStack: mm.mm_start_stack,
    origin: { image: `mm-${pid}.img`, record: 0 },
  };
}

/** The same fields of the record. */
export function encodeMm({ code, data, heap, argv, environ, startStack }: MemoryDescriptor) {
  return {
    ...{ mm_start_code: code.start, mm_end_code: code.end },
    ...{ mm_start_data: data.start, mm_end_data: data.end },
    ...{ mm_start_stack: startStack, mm_start_brk: heap.start, mm_brk: heap.end },
    ...{ mm_arg_start: argv.start, mm_arg_end: argv.end },
    ...{ mm_env_start: environ.start, mm_env_end: environ.end },
  };
}

/** The mappings of a task: from mm-PID.img, or vmas-PID.img in sets before criu 1.2. */
export function criuMappings(
  set: CriuImageSet,
  pid: number,
  mm: MmEntry | undefined,
  files: FileTable,
): Mapping[] {
  if (mm === undefined || mm.vmas.length === 0)
    return set
      .records(IMAGES.VMAS, pid)
      .map(({ value, index }) => mapping(value, files, { image: `vmas-${pid}.img`, record: index }, mm));
  return mm.vmas.map((vma, i) =>
    mapping(vma, files, { image: `mm-${pid}.img`, record: 0, field: `vmas[${i}]` }, mm),
  );
}

function mapping(
  vma: VmaEntry,
  files: FileTable,
  origin: Mapping["origin"],
  mm: MmEntry | undefined,
): Mapping {
  const kind = KINDS.find(([bit]) => (vma.status & bit) !== 0)?.[1] ?? "anonymous";
  const file = mappedFile(kind, vma, files);
  const shared = (vma.flags & MAP_SHARED) !== 0;
  return {
    start: vma.start,
    end: vma.end,
    permissions: `${vma.prot & 1 ? "r" : "-"}${vma.prot & 2 ? "w" : "-"}${vma.prot & 4 ? "x" : "-"}${shared ? "s" : "p"}`,
    shared,
    kind,
    file,
    offset: vma.pgoff,
    shmid: kind === "SysV" || kind === "shared anonymous" ? vma.shmid : undefined,
    name: mappingName(kind, vma, file, mm),
    origin,
  };
}

function mappedFile(kind: MappingKind, vma: VmaEntry, files: FileTable): OpenFile | undefined {
  const type =
    kind === "file" ? "REG" : kind === "memfd" ? "MEMFD" : kind === "socket" ? "PACKETSK" : undefined;
  return type === undefined ? undefined : files.get(Number(vma.shmid), type);
}

function mappingName(
  kind: MappingKind,
  vma: VmaEntry,
  file: OpenFile | undefined,
  mm: MmEntry | undefined,
): string {
  if (file !== undefined) return file.label;
  if (kind === "vdso" || kind === "vvar" || kind === "vsyscall" || kind === "guard" || kind === "aio")
    return `[${kind}]`;
  if (kind === "SysV") return `[SysV ${vma.shmid}]`;
  if ((vma.status & AREA_HEAP) !== 0) return "[heap]";
  if ((vma.status & AREA_STACK) !== 0 || (vma.flags & MAP_GROWSDOWN) !== 0) return "[stack]";
  return mm !== undefined && vma.start <= mm.mm_start_stack && mm.mm_start_stack < vma.end ? "[stack]" : "";
}
