import { VM_EXEC, VM_GROWSDOWN, VM_MAYSHARE, VM_READ, VM_SHARED, VM_WRITE } from "../linux/mman.js";
import type { OpenFile } from "./open-file.js";
import type { AddressRange, Origin } from "./origin.js";

export type MappingKind =
  | "file"
  | "anonymous"
  | "shared anonymous"
  | "memfd"
  | "SysV"
  | "socket"
  | "vdso"
  | "vvar"
  | "vsyscall"
  | "guard"
  | "aio"
  | "shadow stack"
  | "uprobes";

/** A VMA of an address space, as the image stores it. */
export interface StoredMapping extends AddressRange {
  /** A kind that crimg has no word for is the number that is stored. */
  readonly kind: MappingKind | number;
  /** VM_ bits of linux/mm.h, as far as the image tells them: what may be done with it, and how it behaves. */
  readonly flags: bigint;
  /** Offset in the file or segment in bytes. */
  readonly offset: bigint;
  /** Advice of madvise(2) that is in force: bit n for advice n. */
  readonly advice: bigint;
  /** MAP_DROPPABLE of mmap(2). */
  readonly isDroppable: boolean;
  /** Of huge pages: their size as a power of two; 0 for ordinary ones. */
  readonly hugeShift: number;
  /** `[heap]`, `[vdso]` … where the image says it; empty otherwise. */
  readonly special: string;
}

export interface Mapping extends StoredMapping {
  /** `rwxp` or `rwxs`, as proc(5) maps shows it. */
  readonly permissions: string;
  readonly shared: boolean;
  /** Whether its kind as it is stored is that of shared memory; undefined for a kind that may be either. */
  readonly isSharedKind: boolean | undefined;
  /** Number of the open file that is mapped, which a damaged image may not have. */
  readonly fileId: number | undefined;
  readonly file: OpenFile | undefined;
  /** Segment of shared memory, memfd or SysV; undefined for others. */
  readonly shmid: bigint | undefined;
  /** Path, or `[heap]`, `[stack]`, `[vdso]` …; empty for plain anonymous memory. */
  readonly name: string;
  readonly origin: Origin;
}

/** Where the kernel keeps what of a program, as /proc/PID/stat shows it; prctl(2) PR_SET_MM sets it. */
export interface MemoryDescriptor {
  readonly code: AddressRange;
  readonly data: AddressRange;
  /** From the start of the heap to brk(2). */
  readonly heap: AddressRange;
  readonly argv: AddressRange;
  readonly environ: AddressRange;
  readonly startStack: bigint;
  /** Auxiliary vector, getauxval(3): types and values in turn, up to its end. */
  readonly auxv: readonly bigint[];
  /** PR_SET_DUMPABLE of prctl(2); undefined where the image does not store it. */
  readonly dumpable: number | undefined;
  readonly origin: Origin;
}

/** Whether it was mapped with MAP_SHARED: the kernel takes VM_SHARED away where the file cannot be written to. */
export function isShared(flags: bigint): boolean {
  return (flags & (VM_SHARED | VM_MAYSHARE)) !== 0n;
}

/** `rwxp` or `rwxs`. */
export function permissionsOf(flags: bigint): string {
  const letter = (bit: bigint, name: string): string => ((flags & bit) === 0n ? "-" : name);
  const access = `${letter(VM_READ, "r")}${letter(VM_WRITE, "w")}${letter(VM_EXEC, "x")}`;
  return `${access}${isShared(flags) ? "s" : "p"}`;
}

/** What people call it. `segment` is the id of a System V segment, `startStack` the stack of the program. */
export function mappingName(
  { kind, file, special, flags, start, end }: Omit<Mapping, "name">,
  segment: number | bigint | undefined,
  startStack: bigint | undefined,
): string {
  if (file !== undefined) return file.label;
  if (kind === "SysV") return `[SysV ${segment}]`;
  if (special !== "") return special;
  if (kind === "vdso" || kind === "vvar" || kind === "vsyscall" || kind === "guard" || kind === "aio")
    return `[${kind}]`;
  const isStack = startStack !== undefined && start <= startStack && startStack < end;
  return isStack || (flags & VM_GROWSDOWN) !== 0n ? "[stack]" : "";
}

/** The mapping with an address, of those of a task; guard areas, which are inside others, do not count. */
export function mappingAt(mappings: readonly Mapping[], address: bigint): Mapping | undefined {
  let low = 0;
  let high = mappings.length;
  while (high > 0 && mappings[high - 1]?.kind === "guard") high--;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((mappings[middle] as Mapping).end > address) high = middle;
    else low = middle + 1;
  }
  const found = mappings[low];
  return found !== undefined && found.kind !== "guard" && found.start <= address ? found : undefined;
}
