import { VMA_STATUS } from "../../../formats/criu/names.js";
import type { VmaEntry } from "../../../formats/criu/tables/mm.js";
import {
  MAP_DROPPABLE,
  MAP_GROWSDOWN,
  MAP_HUGE_SHIFT,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  VM_GROWSDOWN,
  VM_HUGETLB,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_SHARED,
} from "../../../linux/mman.js";
import { O_RDWR } from "../../../linux/open-flags.js";
import type { Context } from "./context.js";

/** VMA.vma_type. */
export const VMA_TYPE = {
  ignore: 0,
  vdso: 1,
  anonymous: 2,
  file: 3,
  sharedAnonymous: 4,
  sharedAnonymousAgain: 5,
  sharedFile: 6,
  sysv: 7,
  sysvAgain: 8,
} as const;

/** VMA_EXTRA.kind. */
export const VMA_KIND = { ordinary: 0, vdso: 1, vvar: 2, vsyscall: 3 } as const;

const status = (name: string): number => Number(VMA_STATUS.bits.get(name));
export const STATUS = {
  stack: status("VMA_AREA_STACK"),
  vsyscall: status("VMA_AREA_VSYSCALL"),
  vdso: status("VMA_AREA_VDSO"),
  heap: status("VMA_AREA_HEAP"),
  filePrivate: status("VMA_FILE_PRIVATE"),
  fileShared: status("VMA_FILE_SHARED"),
  anonymousShared: status("VMA_ANON_SHARED"),
  sysv: status("VMA_AREA_SYSVIPC"),
  socket: status("VMA_AREA_SOCKET"),
  vvar: status("VMA_AREA_VVAR"),
  aioRing: status("VMA_AREA_AIORING"),
  memfd: status("VMA_AREA_MEMFD"),
  shadowStack: status("VMA_AREA_SHSTK"),
  guard: status("VMA_AREA_GUARD"),
  uprobes: status("VMA_AREA_UPROBES"),
} as const;

/** Mappings that a stream has no record for: what they are, and why. */
const LOST: readonly (readonly [bit: number, what: string, why: string])[] = [
  [STATUS.socket, "a ring of a packet socket", "a stream has no packet sockets"],
  [STATUS.aioRing, "a ring of asynchronous I/O", "a stream has no contexts of asynchronous I/O"],
  [STATUS.shadowStack, "a shadow stack", "processors of 2011 had none"],
  [STATUS.uprobes, "the area of uprobes", "it belongs to the kernel of the dump"],
];

/** Whether a mapping can be expressed; what cannot is told. */
export function isExpressible({ losses }: Context, { start, status }: VmaEntry, label: string): boolean {
  const lost = LOST.find(([bit]) => (status & bit) !== 0);
  if (lost !== undefined) losses.add(`${label} mapping 0x${start.toString(16)}`, lost[1], lost[2]);
  return lost === undefined;
}

/** The kernel's vm_flags of a mapping; a shared one may become writable when its file was opened for that. */
export function vmFlags({ prot, flags, status, fdflags }: VmaEntry): bigint {
  const isShared = (flags & MAP_SHARED) !== 0;
  const readOnlyFile =
    isShared && (status & STATUS.fileShared) !== 0 && fdflags !== undefined && (fdflags & O_RDWR) === 0;
  let bits = BigInt(prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) | VM_MAYREAD | VM_MAYEXEC;
  if (!readOnlyFile || (prot & PROT_WRITE) !== 0) bits |= VM_MAYWRITE;
  if (isShared) bits |= VM_SHARED | VM_MAYSHARE;
  if ((flags & MAP_GROWSDOWN) !== 0) bits |= VM_GROWSDOWN;
  if ((flags & MAP_LOCKED) !== 0) bits |= VM_LOCKED;
  if ((flags & MAP_HUGETLB) !== 0) bits |= VM_HUGETLB;
  return bits;
}

/** The size of its pages as a power of two, for a mapping of huge ones. */
export function hugeShift({ flags }: VmaEntry): number {
  return (flags & MAP_HUGETLB) === 0 ? 0 : (flags >>> MAP_HUGE_SHIFT) & 0x3f;
}

/** Page protection as x86-64 has it in its page tables. */
export function pageProtection({ prot, flags }: VmaEntry): bigint {
  const PRESENT_USER_ACCESSED = 0x25n;
  const NO_ACCESS = 0x120n;
  const WRITABLE = 0x2n;
  const NO_EXEC = 1n << 63n;
  if ((prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) === 0) return NO_ACCESS;
  const isWritable = (prot & PROT_WRITE) !== 0 && (flags & MAP_SHARED) !== 0;
  return PRESENT_USER_ACCESSED | (isWritable ? WRITABLE : 0n) | ((prot & PROT_EXEC) === 0 ? NO_EXEC : 0n);
}

/** VMA_EXTRA.flags. */
const EXTRA = { pages: 1, noReserve: 2, droppable: 4 } as const;

/** The fields and the name of VMA_EXTRA; undefined for a mapping that has nothing to say there. */
export function vmaExtra({ status, madv, flags }: VmaEntry, withPages: boolean) {
  const name = nameOf(status);
  const kind =
    (status & STATUS.vdso) !== 0
      ? VMA_KIND.vdso
      : (status & STATUS.vvar) !== 0
        ? VMA_KIND.vvar
        : (status & STATUS.vsyscall) !== 0
          ? VMA_KIND.vsyscall
          : VMA_KIND.ordinary;
  const bits =
    (withPages ? EXTRA.pages : 0) |
    ((flags & MAP_NORESERVE) !== 0 ? EXTRA.noReserve : 0) |
    ((flags & MAP_DROPPABLE) !== 0 ? EXTRA.droppable : 0);
  if (name === "" && kind === VMA_KIND.ordinary && bits === 0 && !madv) return undefined;
  return { name, fields: { madv: madv ?? 0n, kind, flags: bits } };
}

/** As /proc/PID/maps shows it. */
function nameOf(bits: number): string {
  if ((bits & STATUS.vdso) !== 0) return "[vdso]";
  if ((bits & STATUS.vvar) !== 0) return "[vvar]";
  if ((bits & STATUS.vsyscall) !== 0) return "[vsyscall]";
  if ((bits & STATUS.heap) !== 0) return "[heap]";
  return (bits & STATUS.stack) !== 0 ? "[stack]" : "";
}
