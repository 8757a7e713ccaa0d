import { VMA_STATUS } from "../../../formats/criu/names.js";
import type { VmaEntry } from "../../../formats/criu/tables/mm.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { O_RDWR } from "../../../linux/open-flags.js";
import type { ToCriu } from "./context.js";
import { PAGE } from "./pages.js";
import { sharedAnonymous } from "./shared-memory.js";

type Vma = RecordValue<typeof RECORDS.VMA>;

/** Bits of VMA.vm_flags, the same in all kernels since 2.6. */
const VM = {
  prot: 7n,
  shared: 8n,
  mayWrite: 0x20n,
  growsDown: 0x100n,
  locked: 0x2000n,
  sequential: 0x8000n,
  random: 0x10000n,
  dontCopy: 0x20000n,
  noReserve: 0x200000n,
} as const;

/** What mmap(2) calls them, on x86-64. */
const MAP = {
  shared: 1,
  private: 2,
  droppable: 8,
  anonymous: 0x20,
  growsDown: 0x100,
  locked: 0x2000,
  noReserve: 0x4000,
} as const;

/** Advice of madvise(2) that kernels keep as bits of vm_flags. */
const ADVICE: readonly (readonly [flag: bigint, advice: bigint])[] = [
  [VM.random, 1n],
  [VM.sequential, 2n],
  [VM.dontCopy, 10n],
];
const MEMFD = 1003;

const KIND = { vdso: 1, vvar: 2, vsyscall: 3 } as const;
const TYPE = {
  ignored: 0,
  vdso: 1,
  anonymous: 2,
  privateFile: 3,
  sharedAnonymous: 4,
  sharedAnonymousAgain: 5,
  sharedFile: 6,
  sysV: 7,
  sysVAgain: 8,
} as const;

/** VMA_EXTRA.flags, and what mmap(2) calls them. */
const EXTRA_FLAGS: readonly (readonly [stored: number, flag: number])[] = [
  [2, MAP.noReserve],
  [4, MAP.droppable],
];

/** A mapping as criu stores it; undefined for one that it has no form for, which is then a loss. */
export function mapping(
  context: ToCriu,
  part: Part,
  mm: RecordValue<typeof RECORDS.MM>,
): VmaEntry | undefined {
  const entry = mappingByType(context, part, mm);
  const stored = context.reader.find(part, RECORDS.VMA_EXTRA)?.value.flags ?? 0;
  if (context.reader.find(part, RECORDS.SYSV_SEGMENT) !== undefined)
    context.losses.add(
      labelOf(context.reader.get(part, RECORDS.VMA).value),
      "that it is a System V segment, with its key and its id",
      "criu stores segments only with a whole IPC namespace: it becomes shared anonymous memory",
    );
  const flags = EXTRA_FLAGS.reduce((sum, [bit, flag]) => ((stored & bit) === 0 ? sum : sum | flag), 0);
  return entry && { ...entry, flags: entry.flags | flags };
}

function labelOf({ vm_start, vm_end }: Vma): string {
  return `mapping ${vm_start.toString(16)}-${vm_end.toString(16)}`;
}

function mappingByType(
  context: ToCriu,
  part: Part,
  mm: RecordValue<typeof RECORDS.MM>,
): VmaEntry | undefined {
  const { reader } = context;
  const { value: vma, index } = reader.get(part, RECORDS.VMA);
  const extra = reader.find(part, RECORDS.VMA_EXTRA)?.value;
  const kind = extra?.kind ?? 0;
  const base = {
    start: vma.vm_start,
    end: vma.vm_end,
    pgoff: 0n,
    shmid: 0n,
    prot: Number(vma.vm_flags & VM.prot),
    fd: -1n,
    ...adviceOf(vma, extra?.madv),
  };
  const anonymous = (...status: string[]): VmaEntry => ({
    ...base,
    flags: mapFlags(vma, MAP.private | MAP.anonymous),
    status: statusBits("VMA_ANON_PRIVATE", ...status),
  });
  if (kind === KIND.vsyscall) return anonymous("VMA_AREA_VSYSCALL");
  if (kind === KIND.vvar) return anonymous("VMA_AREA_REGULAR", "VMA_AREA_VVAR");
  if (kind === KIND.vdso || vma.vma_type === TYPE.vdso) return anonymous("VMA_AREA_REGULAR", "VMA_AREA_VDSO");
  switch (vma.vma_type) {
    case TYPE.anonymous:
      return anonymous("VMA_AREA_REGULAR", ...(isHeap(vma, mm) ? ["VMA_AREA_HEAP"] : []));
    case TYPE.privateFile:
    case TYPE.sharedFile:
      return { ...base, ...ofFile(context, vma) };
    case TYPE.sharedAnonymous:
    case TYPE.sharedAnonymousAgain: {
      const id = sharedAnonymous(context, vma.ino_objref, vma.ino_size, part);
      return {
        ...base,
        pgoff: vma.vm_pgoff * BigInt(PAGE),
        shmid: BigInt(id),
        flags: mapFlags(vma, MAP.shared),
        status: statusBits("VMA_AREA_REGULAR", "VMA_FILE_SHARED", "VMA_AREA_MEMFD"),
        fdflags: O_RDWR,
      };
    }
    case TYPE.sysV:
    case TYPE.sysVAgain:
      return {
        ...base,
        pgoff: vma.vm_pgoff * BigInt(PAGE),
        shmid: BigInt(context.sysVId(vma.ino_objref, index)),
        flags: mapFlags(vma, MAP.shared | MAP.anonymous),
        status: statusBits("VMA_AREA_REGULAR", "VMA_ANON_SHARED", "VMA_AREA_SYSVIPC"),
      };
  }
  context.losses.add(
    labelOf(vma),
    "the mapping",
    vma.vma_type === TYPE.ignored
      ? "the stream does not say what it is"
      : `its kind (vma_type ${vma.vma_type}) is not stored in a way that is known`,
  );
  return undefined;
}

function ofFile(
  context: ToCriu,
  vma: Vma,
): Pick<VmaEntry, "pgoff" | "shmid" | "flags" | "status" | "fdflags"> {
  const { reader } = context;
  const file = reader.object(vma.vma_objref, "FILE");
  const isMemory = file !== undefined && reader.get(file, RECORDS.FILE).value.f_type === MEMFD;
  const isShared = vma.vma_type === TYPE.sharedFile;
  // Without the bits of what is allowed, what is done decides.
  const isWritten = (vma.vm_flags & (VM.mayWrite | 2n)) !== 0n;
  return {
    pgoff: vma.vm_pgoff * BigInt(PAGE),
    shmid: BigInt(context.fileId(vma.vma_objref)),
    flags: mapFlags(vma, isShared ? MAP.shared : MAP.private),
    status: statusBits(
      "VMA_AREA_REGULAR",
      isShared ? "VMA_FILE_SHARED" : "VMA_FILE_PRIVATE",
      ...(isMemory ? ["VMA_AREA_MEMFD"] : []),
    ),
    fdflags: isShared && isWritten ? O_RDWR : 0,
  };
}

function mapFlags({ vm_flags: flags }: Vma, base: number): number {
  const when = (bit: bigint, flag: number): number => ((flags & bit) === 0n ? 0 : flag);
  return (
    base | when(VM.growsDown, MAP.growsDown) | when(VM.locked, MAP.locked) | when(VM.noReserve, MAP.noReserve)
  );
}

function adviceOf({ vm_flags: flags }: Vma, stored: bigint | undefined): Pick<VmaEntry, "madv"> {
  const madv =
    stored ??
    ADVICE.reduce((sum, [flag, advice]) => ((flags & flag) === 0n ? sum : sum | (1n << advice)), 0n);
  return madv === 0n ? {} : { madv };
}

/** As the kernel tells which mapping is [heap]. */
function isHeap(vma: Vma, mm: RecordValue<typeof RECORDS.MM>): boolean {
  return vma.vm_start < mm.brk && vma.vm_end > mm.start_brk;
}

function statusBits(...names: readonly string[]): number {
  return names.reduce((sum, name) => sum | Number(VMA_STATUS.bits.get(name)), 0);
}
