import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import {
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  MLOCK_ONFAULT,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_WRITE,
  SHM_EXEC,
  SHM_RDONLY,
} from "../../../linux/mman.js";
import { ARCH_MAP_VDSO_64, PR_SET_MM, PR_SET_MM_MAP } from "../../../linux/prctl.js";
import { isVvar, readVmas, type Vma } from "../proc/mappings.js";
import { SYS } from "../sys/abi-x64.js";
import {
  advices,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_READ,
  VM_WRITE,
} from "../vma-flags.js";
import { fill } from "./fill.js";
import type { FdTransfer } from "./hand-over.js";
import { vdsoLayout } from "./host.js";
import type { ImageMemory, ImageVma } from "./image-memory.js";
import type { RemoteTask } from "./work-area.js";

const MM_MAP_BYTES = 104;

/** What the areas of the processes of an image are made of, as descriptors of crimg. */
export interface MemorySources {
  /** The image. */
  readonly image: number;
  /** A file by its FILE number. */
  file(objref: number): number;
  /** A shared anonymous object by its number. */
  shared(objref: number): number;
  /** Number of the System V segment that an area is. */
  segment(vma: ImageVma): number;
  /** Ids of tasks to come, which no other task may have meanwhile. */
  readonly reserved: ReadonlySet<number>;
  /** Told how many bytes more are in place. */
  onFilled(bytes: number): void;
}

/** Maps an area of an image into a task, and fills it. */
export function buildVma(
  remote: RemoteTask,
  transfer: FdTransfer,
  vma: ImageVma,
  sources: MemorySources,
): void {
  const { kind, start, end, flags, pages, offset } = vma;
  const protection = Number(flags & (VM_READ | VM_WRITE | VM_EXEC));
  const isShared = (flags & VM_MAYSHARE) !== 0n;
  const fills = pages.length > 0 && kind !== "shared anonymous";
  const name = `map 0x${start.toString(16)}`;
  const map = (fd: number): void => {
    remote.call(
      name,
      SYS.mmap,
      start,
      end - start,
      fills ? protection | PROT_WRITE : protection,
      mapFlags(vma, isShared) | (fd < 0 ? MAP_ANONYMOUS : 0),
      fd,
      fd < 0 ? 0 : offset,
    );
  };
  if (vma.segment !== undefined) attach(remote, vma, sources.segment(vma), protection);
  else if (kind === "anonymous") map(-1);
  else transfer.lend(kind === "shared anonymous" ? sources.shared(vma.object) : sources.file(vma.file), map);
  if (fills) {
    fill(remote, transfer.keep(sources.image), pages, sources);
    if ((protection & PROT_WRITE) === 0) remote.call(name, SYS.mprotect, start, end - start, protection);
  }
  // Advice that this kernel was built without cannot have been in force.
  for (const advice of advices(vma.advice)) remote.attempt(SYS.madvise, start, end - start, advice);
  if ((flags & VM_LOCKED) !== 0n)
    remote.call(
      `lock 0x${start.toString(16)} in memory`,
      SYS.mlock2,
      start,
      end - start,
      (flags & VM_LOCKONFAULT) !== 0n ? MLOCK_ONFAULT : 0,
    );
}

/** A System V segment, shmat(2). */
function attach(
  remote: RemoteTask,
  { start, end, flags }: ImageVma,
  shmid: number,
  protection: number,
): void {
  const isReadOnly = (flags & VM_MAYWRITE) === 0n;
  const isCode = (protection & PROT_EXEC) !== 0;
  remote.call(
    `attach the segment ${shmid}`,
    SYS.shmat,
    shmid,
    start,
    (isReadOnly ? SHM_RDONLY : 0) | (isCode ? SHM_EXEC : 0),
  );
  remote.call("protect the segment as it was", SYS.mprotect, start, end - start, protection);
}

function mapFlags({ flags, isDroppable }: ImageVma, isShared: boolean): number {
  return (
    MAP_FIXED_NOREPLACE |
    (isDroppable ? MAP_DROPPABLE : isShared ? MAP_SHARED : MAP_PRIVATE) |
    ((flags & VM_GROWSDOWN) !== 0n ? MAP_GROWSDOWN : 0) |
    ((flags & VM_NORESERVE) !== 0n ? MAP_NORESERVE : 0)
  );
}

/** Lets the kernel put its vDSO where the image has one; its layout must be the same. */
export function mapVdso(remote: RemoteTask, vmas: readonly ImageVma[]): void {
  const special = vmas.filter(({ kind }) => kind === "vdso" || kind === "vvar");
  const [lowest] = special;
  if (lowest === undefined) return;
  remote.call("map the vDSO", SYS.arch_prctl, ARCH_MAP_VDSO_64, lowest.start);
  const { pid } = remote.tracee;
  const mapped = readVmas(pid).filter((vma) => isVvar(vma) || vma.name === "[vdso]");
  const here = vdsoLayout(mapped.map((vma) => ({ ...vma, isCode: !isVvar(vma) })));
  const there = vdsoLayout(special.map((vma) => ({ ...vma, isCode: vma.kind === "vdso" })));
  if (here !== there)
    throw new BackendError(
      `the vDSO of this kernel (${here}) is laid out differently from that of the checkpoint (${there})`,
    );
}

/** Whether the vDSO that was mapped has the code that the image has: tasks keep addresses into it. */
export function assertSameVdso(remote: RemoteTask, vmas: readonly ImageVma[], image: number): void {
  const vdso = vmas.find(({ kind }) => kind === "vdso");
  if (vdso === undefined) return;
  const mapped = readVmas(remote.tracee.pid).find(({ name }) => name === "[vdso]") as Vma;
  const here = remote.tracee.read(mapped.start, mapped.end - mapped.start);
  for (const { start, end, offset } of vdso.pages) {
    const there = Buffer.alloc(end - start);
    fs.readSync(image, there, 0, there.length, offset);
    if (!there.equals(here.subarray(start - mapped.start, end - mapped.start)))
      throw new BackendError(
        "the vDSO of this kernel has other code than that of the checkpoint: restart on the kernel it was taken on",
      );
  }
}

/** Tells the kernel what the areas are for: code, heap, stack, arguments, and which program this is. prctl(2). */
export function describeMemory(remote: RemoteTask, { mm, auxv }: ImageMemory, exe: number): void {
  const map = Buffer.alloc(MM_MAP_BYTES);
  const fields = [
    mm.start_code,
    mm.end_code,
    mm.start_data,
    mm.end_data,
    mm.start_brk,
    mm.brk,
    mm.start_stack,
    mm.arg_start,
    mm.arg_end,
    mm.env_start,
    mm.env_end,
  ];
  for (const [i, value] of fields.entries()) map.writeBigUInt64LE(value, i * 8);
  map.writeBigUInt64LE(BigInt(remote.put(auxv, PAGE_SIZE)), 88);
  map.writeUInt32LE(auxv.length, 96);
  map.writeInt32LE(exe, 100);
  remote.call("describe its memory", SYS.prctl, PR_SET_MM, PR_SET_MM_MAP, remote.put(map), MM_MAP_BYTES, 0);
}
