import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { NewRecord } from "../../formats/linux-cr/stream-writer.js";
import { VMA_FLAG, VMA_KINDS } from "../../formats/linux-cr/tables/extensions-files.js";
import { VMA_TYPE } from "../../formats/linux-cr/tables/memory.js";
import { FormatError } from "../../io/errors.js";
import { MAX_MAPPINGS } from "../../io/limits.js";
import {
  AT_NULL,
  MADV_DONTFORK,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  PAGE_SIZE,
  VM_ACCESS_FLAGS,
  VM_DONTCOPY,
  VM_EXEC,
  VM_NORESERVE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_WRITE,
} from "../../linux/mman.js";
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
import type { AddressRange, Origin } from "../origin.js";
import type { StreamReader } from "./reader.js";
import { pageSizeOf } from "./saved-pages.js";
import type { Segments } from "./segments.js";

type Mm = RecordValue<typeof RECORDS.MM>;
type Vma = RecordValue<typeof RECORDS.VMA>;
type VmaExtra = RecordValue<typeof RECORDS.VMA_EXTRA>;

/** What vma_type says a mapping is. */
const KINDS: Readonly<Record<number, MappingKind>> = {
  [VMA_TYPE.vdso]: "vdso",
  [VMA_TYPE.anonymous]: "anonymous",
  [VMA_TYPE.privateFile]: "file",
  [VMA_TYPE.sharedAnonymous]: "shared anonymous",
  [VMA_TYPE.sharedAnonymousAgain]: "shared anonymous",
  [VMA_TYPE.sharedFile]: "file",
  [VMA_TYPE.sysV]: "SysV",
  [VMA_TYPE.sysVAgain]: "SysV",
};

const SHARED_TYPES: ReadonlyMap<number, boolean> = new Map([
  [VMA_TYPE.anonymous, false],
  [VMA_TYPE.privateFile, false],
  [VMA_TYPE.sharedAnonymous, true],
  [VMA_TYPE.sharedAnonymousAgain, true],
  [VMA_TYPE.sharedFile, true],
  [VMA_TYPE.sysV, true],
  [VMA_TYPE.sysVAgain, true],
]);

/** Advice of madvise(2) that kernels keep as bits of vm_flags. */
const ADVICE: readonly (readonly [flag: bigint, advice: number])[] = [
  [VM_RAND_READ, MADV_RANDOM],
  [VM_SEQ_READ, MADV_SEQUENTIAL],
  [VM_DONTCOPY, MADV_DONTFORK],
];

/** The two low bits of MM.flags, then which memory a core dump has. */
const DUMPABLE = 3n;
const USUAL_CORE_FILTER = 0x33n << 2n;

/** The marks of an MM. */
export function decodeMm(reader: StreamReader, part: Part): MemoryDescriptor {
  const { index, value: mm } = reader.get(part, RECORDS.MM);
  return {
    code: { start: mm.start_code, end: mm.end_code },
    data: { start: mm.start_data, end: mm.end_data },
    heap: { start: mm.start_brk, end: mm.brk },
    argv: { start: mm.arg_start, end: mm.arg_end },
    environ: { start: mm.env_start, end: mm.env_end },
    startStack: mm.start_stack,
    get auxv() {
      return decodeAuxv(reader, part);
    },
    dumpable: Number(mm.flags & DUMPABLE),
    origin: reader.origin(index),
  };
}

/** Words up to the end, AT_NULL; the BUFFER of all tasks is as long as the longest. */
function decodeAuxv(reader: StreamReader, part: Part): bigint[] {
  const bytes = reader.image.bytes(reader.get(part, RECORDS.BUFFER).index);
  const words: bigint[] = [];
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const type = bytes.readBigUInt64LE(at);
    words.push(type, bytes.readBigUInt64LE(at + 8));
    if (type === AT_NULL) break;
  }
  return words;
}

/** The same fields of the record. */
export function encodeMm(mm: Omit<MemoryDescriptor, "auxv" | "origin">) {
  const { code, data, heap, argv, environ, startStack, dumpable = 1 } = mm;
  return {
    flags: BigInt(dumpable) | USUAL_CORE_FILTER,
    ...{ start_code: code.start, end_code: code.end, start_data: data.start, end_data: data.end },
    ...{ start_brk: heap.start, brk: heap.end, start_stack: startStack },
    ...{ arg_start: argv.start, arg_end: argv.end, env_start: environ.start, env_end: environ.end },
  };
}

/** The mappings of an address space, ascending, then its guard areas. Errors: TOO_LARGE above MAX_MAPPINGS. */
export function* decodeMappings(
  reader: StreamReader,
  mm: Part,
  files: FileTable,
  segments: Segments,
): Generator<Mapping> {
  const { value } = reader.get(mm, RECORDS.MM);
  const space = { reader, files, segments, mm: value, pageSize: BigInt(pageSizeOf(reader)) };
  const { parts, records } = mm;
  const guards = records.filter((record) => reader.image.kind(record) === RECORDS.GUARD_PAGES);
  const count = parts.length + guards.length;
  if (count > MAX_MAPPINGS)
    throw new FormatError(
      "TOO_LARGE",
      `invalid number of mappings ${count} (expected at most ${MAX_MAPPINGS})`,
      reader.image.place(records[0] ?? 0),
    );
  for (const part of parts) yield new StreamMapping(part, space);
  for (const record of guards) yield guardArea(reader, record);
}

/** Guard pages inside of other mappings, as criu has them. */
function guardArea(reader: StreamReader, record: number): Mapping {
  const { start, end } = reader.image.value(record, RECORDS.GUARD_PAGES);
  return {
    ...{ start, end, kind: "guard", name: "[guard]", special: "", permissions: "---p" },
    ...{ shared: false, isSharedKind: undefined },
    ...{ flags: 0n, offset: 0n, advice: 0n, isDroppable: false, hugeShift: 0 },
    ...{ fileId: undefined, file: undefined, shmid: undefined },
    origin: reader.origin(record),
  };
}

/** The record of a guard area. */
export function encodeGuardArea({ start, end }: AddressRange): NewRecord {
  return { kind: RECORDS.GUARD_PAGES, fields: { start, end } };
}

/** What the mappings of one address space share. */
interface AddressSpace {
  readonly reader: StreamReader;
  readonly files: FileTable;
  readonly segments: Segments;
  readonly mm: Mm;
  readonly pageSize: bigint;
}

/** A class: an address space has 60,000 of them. */
class StreamMapping implements Mapping {
  readonly kind: MappingKind | number;
  readonly start: bigint;
  readonly end: bigint;
  readonly flags: bigint;
  readonly offset: bigint;
  readonly advice: bigint;
  readonly isDroppable: boolean;
  readonly hugeShift: number;
  readonly special: string;
  readonly fileId: number | undefined;
  readonly shmid: bigint | undefined;
  readonly #record: number;
  readonly #type: number;
  readonly #space: AddressSpace;

  constructor(part: Part, space: AddressSpace) {
    const { reader } = space;
    const { index, value: vma } = reader.get(part, RECORDS.VMA);
    const extra = reader.find(part, RECORDS.VMA_EXTRA);
    const bits = extra?.value.flags ?? 0;
    this.#record = index;
    this.#type = vma.vma_type;
    this.#space = space;
    this.start = vma.vm_start;
    this.end = vma.vm_end;
    this.flags = vma.vm_flags | ((bits & VMA_FLAG.MAP_NORESERVE) === 0 ? 0n : VM_NORESERVE);
    // Private anonymous memory has an offset too, which nothing uses.
    this.offset = vma.vma_type === VMA_TYPE.anonymous ? 0n : vma.vm_pgoff * space.pageSize;
    this.advice = extra?.value.madv ?? adviceIn(vma.vm_flags);
    this.isDroppable = (bits & VMA_FLAG.MAP_DROPPABLE) !== 0;
    this.hugeShift = vma.hugetlb_shift ?? 0;
    this.fileId = vma.vma_objref > 0 ? vma.vma_objref : undefined;
    this.shmid = vma.ino_objref > 0 ? BigInt(vma.ino_objref) : undefined;
    this.kind = kindOf(vma, extra?.value, this.file);
    this.special = (extra && reader.image.text(extra.index)) || (this.#isHeap() ? "[heap]" : "");
  }

  get permissions(): string {
    return permissionsOf(this.flags);
  }

  get shared(): boolean {
    return isShared(this.flags);
  }

  get isSharedKind(): boolean | undefined {
    return SHARED_TYPES.get(this.#type);
  }

  get file(): OpenFile | undefined {
    return this.fileId === undefined ? undefined : this.#space.files.get(this.fileId);
  }

  get name(): string {
    const { segments, mm } = this.#space;
    const id = this.kind === "SysV" ? segments.idOf(Number(this.shmid)) : undefined;
    return mappingName(this, id ?? this.shmid, mm.start_stack);
  }

  get origin(): Origin {
    return this.#space.reader.origin(this.#record);
  }

  /** As the kernel tells which mapping is [heap]. */
  #isHeap(): boolean {
    const { brk, start_brk } = this.#space.mm;
    return this.kind === "anonymous" && this.start < brk && this.end > start_brk;
  }
}

function kindOf({ vma_type: type }: Vma, extra: VmaExtra | undefined, file: OpenFile | undefined) {
  const placed = VMA_KINDS[extra?.kind ?? 0];
  if (placed !== undefined && placed !== "ordinary") return placed;
  const kind = KINDS[type] ?? type;
  return kind === "file" && file?.type === "MEMFD" ? "memfd" : kind;
}

function adviceIn(flags: bigint): bigint {
  return ADVICE.reduce(
    (sum, [flag, advice]) => ((flags & flag) === 0n ? sum : sum | (1n << BigInt(advice))),
    0n,
  );
}

/** What a mapping shows, by the numbers that it has in a stream. */
export interface MappedObject {
  /** FILE; shared memory without a name has none. */
  readonly file?: number | undefined;
  /** The hidden number of what is shared. */
  readonly inode?: number | undefined;
  /** Bytes of the file or the shared memory. */
  readonly size?: bigint | undefined;
  /** Whether shared memory, or a vDSO, was met before: its contents stand there. */
  readonly isAgain?: boolean | undefined;
}

/** The fields of VMA, and those of VMA_EXTRA with its text, which a plain mapping does without. */
export function encodeMapping(mapping: StoredMapping, object: MappedObject) {
  const type = typeOf(mapping, object);
  const { start, end, flags, offset, hugeShift } = mapping;
  return {
    vma: {
      vma_type: type,
      vma_objref: object.file ?? 0,
      ino_objref: object.inode ?? 0,
      ino_size: object.size ?? 0n,
      vm_start: start,
      vm_end: end,
      vm_page_prot: pageProtection(flags),
      // Kernels with this format refuse it: it stands in VMA_EXTRA.
      vm_flags: flags & ~VM_NORESERVE,
      vm_pgoff: offset / BigInt(PAGE_SIZE),
      hugetlb_shift: hugeShift,
    },
    ...encodeExtra(mapping, type === VMA_TYPE.vdso),
  };
}

/** What the kernel places, or a stream has no type for, is ignored. */
function typeOf({ kind, flags }: StoredMapping, { file, isAgain = false }: MappedObject): number {
  switch (kind) {
    case "vdso":
      return isAgain ? VMA_TYPE.anonymous : VMA_TYPE.vdso;
    case "anonymous":
      return VMA_TYPE.anonymous;
    case "SysV":
      return isAgain ? VMA_TYPE.sysVAgain : VMA_TYPE.sysV;
    case "file":
    case "memfd":
    case "shared anonymous":
      if (file === undefined) return isAgain ? VMA_TYPE.sharedAnonymousAgain : VMA_TYPE.sharedAnonymous;
      return isShared(flags) ? VMA_TYPE.sharedFile : VMA_TYPE.privateFile;
    default:
      return typeof kind === "number" ? kind : VMA_TYPE.ignored;
  }
}

function encodeExtra({ kind, flags, advice, isDroppable, special }: StoredMapping, hasPages: boolean) {
  const placed = Math.max(0, (VMA_KINDS as readonly unknown[]).indexOf(kind));
  const bits =
    (hasPages ? VMA_FLAG.pages : 0) |
    ((flags & VM_NORESERVE) === 0n ? 0 : VMA_FLAG.MAP_NORESERVE) |
    (isDroppable ? VMA_FLAG.MAP_DROPPABLE : 0);
  return {
    extra: { madv: advice, kind: placed, flags: bits },
    text: special,
    isPlain: special === "" && placed === 0 && bits === 0 && advice === 0n,
  };
}

/** Page protection as x86-64 has it in its page tables. */
function pageProtection(flags: bigint): bigint {
  const PRESENT_USER_ACCESSED = 0x25n;
  const NO_ACCESS = 0x120n;
  const WRITABLE = 0x2n;
  const NO_EXEC = 1n << 63n;
  if ((flags & VM_ACCESS_FLAGS) === 0n) return NO_ACCESS;
  const isWritable = (flags & VM_WRITE) !== 0n && isShared(flags);
  return PRESENT_USER_ACCESSED | (isWritable ? WRITABLE : 0n) | ((flags & VM_EXEC) === 0n ? NO_EXEC : 0n);
}
