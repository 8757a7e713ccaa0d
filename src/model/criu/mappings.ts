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
    return oldMappings(set, { image: `vmas-${pid}.img`, isList: false, files, mm }, pid);
  const context = { image: `mm-${pid}.img`, isList: true, files, mm };
  return mm.vmas.map((vma, i) => new CriuMapping(vma, i, context));
}

function oldMappings(set: CriuImageSet, context: MappingContext, pid: number): Mapping[] {
  return set.records(IMAGES.VMAS, pid).map(({ value, index }) => new CriuMapping(value, index, context));
}

/** What the mappings of a task share. */
interface MappingContext {
  readonly image: string;
  /** Whether they are a list of the only record, and not records of their own. */
  readonly isList: boolean;
  readonly files: FileTable;
  readonly mm: MmEntry | undefined;
}

/** A class: a task may have 300,000 of them. */
class CriuMapping implements Mapping {
  readonly #vma: VmaEntry;
  readonly #index: number;
  readonly #context: MappingContext;

  constructor(vma: VmaEntry, index: number, context: MappingContext) {
    this.#vma = vma;
    this.#index = index;
    this.#context = context;
  }

  get start(): bigint {
    return this.#vma.start;
  }

  get end(): bigint {
    return this.#vma.end;
  }

  get permissions(): string {
    return PERMISSIONS[(this.#vma.prot & 7) | (this.shared ? 8 : 0)] as string;
  }

  get shared(): boolean {
    return (this.#vma.flags & MAP_SHARED) !== 0;
  }

  get kind(): MappingKind {
    for (const [bit, kind] of KINDS) if ((this.#vma.status & bit) !== 0) return kind;
    return "anonymous";
  }

  get file(): OpenFile | undefined {
    return mappedFile(this.kind, this.#vma, this.#context.files);
  }

  get offset(): bigint {
    return this.#vma.pgoff;
  }

  get shmid(): bigint | undefined {
    const { kind } = this;
    return kind === "SysV" || kind === "shared anonymous" ? this.#vma.shmid : undefined;
  }

  get name(): string {
    return mappingName(this.kind, this.#vma, this.file, this.#context.mm);
  }

  get origin(): Mapping["origin"] {
    const { image, isList } = this.#context;
    return isList ? { image, record: 0, field: `vmas[${this.#index}]` } : { image, record: this.#index };
  }
}

/** By the bits of PROT_, and 8 for a shared one. */
const PERMISSIONS = Array.from(
  { length: 16 },
  (_, bits) => `${bits & 1 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 4 ? "x" : "-"}${bits & 8 ? "s" : "p"}`,
);

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
