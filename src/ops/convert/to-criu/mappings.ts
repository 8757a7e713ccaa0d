import { VMA_STATUS } from "../../../formats/criu/names.js";
import type { VmaEntry } from "../../../formats/criu/tables/mm.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import {
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PAGE_SIZE,
  VM_ACCESS_FLAGS,
  VM_DONTCOPY,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_RAND_READ,
  VM_SEQ_READ,
} from "../../../linux/mman.js";
import { O_RDWR } from "../../../linux/open-flags.js";
import type { ToCriu } from "./context.js";

import { sharedAnonymous } from "./shared-memory.js";

type Vma = RecordValue<typeof RECORDS.VMA>;

/** Advice of madvise(2) that kernels keep as bits of vm_flags. */
const ADVICE: readonly (readonly [flag: bigint, advice: bigint])[] = [
  [VM_RAND_READ, 1n],
  [VM_SEQ_READ, 2n],
  [VM_DONTCOPY, 10n],
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
  [2, MAP_NORESERVE],
  [4, MAP_DROPPABLE],
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
    prot: Number(vma.vm_flags & VM_ACCESS_FLAGS),
    fd: -1n,
    ...adviceOf(vma, extra?.madv),
  };
  const anonymous = (...status: string[]): VmaEntry => ({
    ...base,
    flags: mapFlags(vma, MAP_PRIVATE | MAP_ANONYMOUS),
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
        pgoff: vma.vm_pgoff * BigInt(PAGE_SIZE),
        shmid: BigInt(id),
        flags: mapFlags(vma, MAP_SHARED),
        status: statusBits("VMA_AREA_REGULAR", "VMA_FILE_SHARED", "VMA_AREA_MEMFD"),
        fdflags: O_RDWR,
      };
    }
    case TYPE.sysV:
    case TYPE.sysVAgain:
      return {
        ...base,
        pgoff: vma.vm_pgoff * BigInt(PAGE_SIZE),
        shmid: BigInt(context.sysVId(vma.ino_objref, index)),
        flags: mapFlags(vma, MAP_SHARED | MAP_ANONYMOUS),
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
  const isWritten = (vma.vm_flags & (VM_MAYWRITE | 2n)) !== 0n;
  return {
    pgoff: vma.vm_pgoff * BigInt(PAGE_SIZE),
    shmid: BigInt(context.fileId(vma.vma_objref)),
    flags: mapFlags(vma, isShared ? MAP_SHARED : MAP_PRIVATE),
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
    base | when(VM_GROWSDOWN, MAP_GROWSDOWN) | when(VM_LOCKED, MAP_LOCKED) | when(VM_NORESERVE, MAP_NORESERVE)
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
