import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { VMA_STATUS } from "../../formats/criu/names.js";
import type { MmEntry, VmaEntry } from "../../formats/criu/tables/mm.js";
import {
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MAP_GROWSDOWN,
  MAP_HUGE_SHIFT,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_WRITE,
  VM_ACCESS_FLAGS,
  VM_GROWSDOWN,
  VM_HUGETLB,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
} from "../../linux/mman.js";
import { O_RDWR } from "../../linux/open-flags.js";
import {
  isShared,
  type Mapping,
  type MappingKind,
  type MemoryDescriptor,
  mappingName,
  permissionsOf,
  type StoredMapping,
} from "../mapping.js";
import type { FileTable, OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";
import { MM_VMAS } from "./parts.js";

const bit = (name: string): number => Number(VMA_STATUS.bits.get(name));
const REGULAR = bit("VMA_AREA_REGULAR");
const GUARD = bit("VMA_AREA_GUARD");
const HEAP = bit("VMA_AREA_HEAP");
const STACK = bit("VMA_AREA_STACK");
const FILE_PRIVATE = bit("VMA_FILE_PRIVATE");
const SHARED_FILE = bit("VMA_FILE_SHARED");
const MEMFD = bit("VMA_AREA_MEMFD");
const ANON_PRIVATE = bit("VMA_ANON_PRIVATE");
const ANON_SHARED = bit("VMA_ANON_SHARED");

/** Bits of vma_entry.status, in the order in which they decide what the mapping is (criu/include/vma.h). */
const KINDS: readonly (readonly [bit: number, kind: MappingKind])[] = [
  [GUARD, "guard"],
  [bit("VMA_AREA_UPROBES"), "uprobes"],
  [bit("VMA_AREA_SHSTK"), "shadow stack"],
  [bit("VMA_AREA_VDSO"), "vdso"],
  [bit("VMA_AREA_VVAR"), "vvar"],
  [bit("VMA_AREA_VSYSCALL"), "vsyscall"],
  [bit("VMA_AREA_AIORING"), "aio"],
  [MEMFD, "memfd"],
  [bit("VMA_AREA_SOCKET"), "socket"],
  [bit("VMA_AREA_SYSVIPC"), "SysV"],
  [FILE_PRIVATE, "file"],
  [SHARED_FILE, "file"],
  [ANON_SHARED, "shared anonymous"],
];

/** Type of the open file whose id a mapping has for a shmid. */
const FILE_TYPES: Readonly<Record<string, string>> = { file: "REG", memfd: "MEMFD", socket: "PACKETSK" };

/** Flags of mmap(2) and the bits that kernels keep for them. */
const FLAGS: readonly (readonly [map: number, vm: bigint])[] = [
  [MAP_GROWSDOWN, VM_GROWSDOWN],
  [MAP_LOCKED, VM_LOCKED],
  [MAP_NORESERVE, VM_NORESERVE],
  [MAP_HUGETLB, VM_HUGETLB],
];
const HUGE_SHIFT_MASK = 0x3f;

/** The marks of mm-PID.img. */
export function decodeMm(mm: Omit<MmEntry, "vmas">, pid: number): MemoryDescriptor {
  return {
    code: { start: mm.mm_start_code, end: mm.mm_end_code },
    data: { start: mm.mm_start_data, end: mm.mm_end_data },
    heap: { start: mm.mm_start_brk, end: mm.mm_brk },
    argv: { start: mm.mm_arg_start, end: mm.mm_arg_end },
    environ: { start: mm.mm_env_start, end: mm.mm_env_end },
    startStack: mm.mm_start_stack,
    auxv: mm.mm_saved_auxv,
    dumpable: mm.dumpable,
    origin: { image: `mm-${pid}.img`, record: 0 },
  };
}

/** The same fields of the record. */
export function encodeMm(mm: MemoryDescriptor) {
  const { code, data, heap, argv, environ, startStack, auxv, dumpable } = mm;
  return {
    ...{ mm_start_code: code.start, mm_end_code: code.end },
    ...{ mm_start_data: data.start, mm_end_data: data.end },
    ...{ mm_start_stack: startStack, mm_start_brk: heap.start, mm_brk: heap.end },
    ...{ mm_arg_start: argv.start, mm_arg_end: argv.end },
    ...{ mm_env_start: environ.start, mm_env_end: environ.end },
    mm_saved_auxv: [...auxv],
    ...(dumpable === undefined ? {} : { dumpable }),
  };
}

/** The mappings of a task: from mm-PID.img, or vmas-PID.img in sets before criu 1.2. */
export function decodeMappings(
  set: CriuImageSet,
  pid: number,
  startStack: bigint | undefined,
  files: FileTable,
): Mapping[] {
  const vmas = set.firstPart(IMAGES.MM, pid, MM_VMAS)?.vmas ?? [];
  if (vmas.length > 0) {
    const image = `mm-${pid}.img`;
    const originOf = (i: number) => ({ image, record: 0, field: `vmas[${i}]` });
    return vmas.map((vma, i) => new CriuMapping(vma, i, { files, startStack, originOf }));
  }
  const originOf = (record: number) => ({ image: `vmas-${pid}.img`, record });
  return set
    .records(IMAGES.VMAS, pid)
    .map(({ value, index }) => new CriuMapping(value, index, { files, startStack, originOf }));
}

/** What the mappings of one task share. */
interface AddressSpace {
  readonly files: FileTable;
  readonly startStack: bigint | undefined;
  readonly originOf: (nth: number) => Origin;
}

/** A class: an address space has 60,000 of them. */
class CriuMapping implements Mapping {
  readonly kind: MappingKind;

  constructor(
    private readonly entry: VmaEntry,
    private readonly nth: number,
    private readonly space: AddressSpace,
  ) {
    this.kind = KINDS.find(([bit]) => (entry.status & bit) !== 0)?.[1] ?? "anonymous";
  }

  get start(): bigint {
    return this.entry.start;
  }

  get end(): bigint {
    return this.entry.end;
  }

  get flags(): bigint {
    const { prot, flags, status, fdflags } = this.entry;
    const isShared = (flags & MAP_SHARED) !== 0;
    // A file that was opened for reading cannot be mapped for writing later.
    const isReadOnly =
      isShared && (status & SHARED_FILE) !== 0 && fdflags !== undefined && (fdflags & O_RDWR) === 0;
    let bits = (BigInt(prot) & VM_ACCESS_FLAGS) | VM_MAYREAD | VM_MAYEXEC;
    if (!isReadOnly || (prot & PROT_WRITE) !== 0) bits |= VM_MAYWRITE;
    if (isShared) bits |= VM_SHARED | VM_MAYSHARE;
    for (const [map, vm] of FLAGS) if ((flags & map) !== 0) bits |= vm;
    return bits;
  }

  get permissions(): string {
    return permissionsOf(this.flags);
  }

  get shared(): boolean {
    return (this.entry.flags & MAP_SHARED) !== 0;
  }

  get isSharedKind(): boolean | undefined {
    const { kind } = this;
    const { status } = this.entry;
    if (kind === "shared anonymous" || kind === "SysV") return true;
    if (kind === "anonymous") return (status & ANON_PRIVATE) === 0 ? undefined : false;
    if (kind !== "file" && kind !== "memfd") return undefined;
    const isPrivate = (status & FILE_PRIVATE) !== 0;
    const isShared = (status & SHARED_FILE) !== 0;
    return isPrivate === isShared ? undefined : isShared;
  }

  get offset(): bigint {
    return this.entry.pgoff;
  }

  get advice(): bigint {
    return this.entry.madv ?? 0n;
  }

  get isDroppable(): boolean {
    return (this.entry.flags & MAP_DROPPABLE) !== 0;
  }

  get hugeShift(): number {
    const { flags } = this.entry;
    return (flags & MAP_HUGETLB) === 0 ? 0 : (flags >>> MAP_HUGE_SHIFT) & HUGE_SHIFT_MASK;
  }

  get special(): string {
    const { kind } = this;
    if (kind === "vdso" || kind === "vvar" || kind === "vsyscall") return `[${kind}]`;
    if ((this.entry.status & HEAP) !== 0) return "[heap]";
    return (this.entry.status & STACK) !== 0 ? "[stack]" : "";
  }

  get fileId(): number | undefined {
    return FILE_TYPES[this.kind] === undefined ? undefined : Number(this.entry.shmid);
  }

  get file(): OpenFile | undefined {
    const { fileId } = this;
    return fileId === undefined ? undefined : this.space.files.get(fileId, FILE_TYPES[this.kind]);
  }

  get shmid(): bigint | undefined {
    return this.kind === "SysV" || this.kind === "shared anonymous" ? this.entry.shmid : undefined;
  }

  get name(): string {
    return mappingName(this, this.entry.shmid, this.space.startStack);
  }

  get origin(): Origin {
    return this.space.originOf(this.nth);
  }
}

/** What else the status of a kind says; shared anonymous memory is a memfd since criu 3.14. */
const STATUS: Readonly<Partial<Record<MappingKind, number>>> = {
  anonymous: REGULAR | ANON_PRIVATE,
  vdso: REGULAR | ANON_PRIVATE | bit("VMA_AREA_VDSO"),
  vvar: REGULAR | ANON_PRIVATE | bit("VMA_AREA_VVAR"),
  vsyscall: ANON_PRIVATE | bit("VMA_AREA_VSYSCALL"),
  file: REGULAR,
  memfd: REGULAR | MEMFD,
  "shared anonymous": REGULAR | SHARED_FILE | MEMFD,
  SysV: REGULAR | ANON_SHARED | bit("VMA_AREA_SYSVIPC"),
};

/**
 * The entry of a mapping; `shmid` is what it has for the object that it shows, 0 for none. Undefined for a kind that
 * streams do not have.
 */
export function encodeMapping(mapping: StoredMapping, shmid: bigint): VmaEntry | undefined {
  const { start, end, kind, flags, offset, advice, special } = mapping;
  // collect_madv_guards() of criu sets nothing else.
  if (kind === "guard")
    return { start, end, shmid: 0n, fd: -1n, pgoff: 0n, prot: 0, flags: 0, status: GUARD };
  const status = typeof kind === "number" ? undefined : STATUS[kind];
  if (status === undefined) return undefined;
  const isFile = kind === "file" || kind === "memfd";
  const hasObject = isFile || kind === "shared anonymous" || kind === "SysV";
  const shared = isShared(flags) || (hasObject && !isFile);
  const canWrite = shared && (flags & (VM_MAYWRITE | VM_WRITE)) !== 0n;
  return {
    ...{ start, end, shmid, fd: -1n },
    pgoff: hasObject ? offset : 0n,
    prot: Number(flags & VM_ACCESS_FLAGS),
    flags: (encodeFlags(mapping, shared) | (hasObject && kind !== "SysV" ? 0 : MAP_ANONYMOUS)) >>> 0,
    status:
      status |
      (isFile ? (shared ? SHARED_FILE : FILE_PRIVATE) : 0) |
      (special === "[heap]" ? HEAP : special === "[stack]" ? STACK : 0),
    ...(advice === 0n ? {} : { madv: advice }),
    ...(hasObject ? { fdflags: canWrite ? O_RDWR : 0 } : {}),
  };
}

function encodeFlags({ flags, isDroppable, hugeShift }: StoredMapping, isShared: boolean): number {
  // As criu does: MAP_DROPPABLE stands in the place of MAP_PRIVATE.
  const droppable = isDroppable ? MAP_DROPPABLE : 0;
  const base = isShared ? MAP_SHARED | droppable : droppable || MAP_PRIVATE;
  const stored = FLAGS.reduce((sum, [map, vm]) => ((flags & vm) === 0n ? sum : sum | map), base);
  return stored | (hugeShift << MAP_HUGE_SHIFT);
}
