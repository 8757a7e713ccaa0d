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
import { type Area, isVvar, readAreas } from "../proc/mappings.js";
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
import type { HandOver } from "./hand-over.js";
import { vdsoLayout } from "./host.js";
import type { ImageArea, ImageMemory } from "./image-memory.js";
import type { Workbench } from "./work-area.js";

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
  segment(area: ImageArea): number;
  /** Ids of tasks to come, which no other task may have meanwhile. */
  readonly reserved: ReadonlySet<number>;
  /** Told how many bytes more are in place. */
  onFilled(bytes: number): void;
}

/** Maps an area of an image into a task, and fills it. */
export function buildArea(
  bench: Workbench,
  handOver: HandOver,
  area: ImageArea,
  sources: MemorySources,
): void {
  const { kind, start, end, flags, pages, offset } = area;
  const protection = Number(flags & (VM_READ | VM_WRITE | VM_EXEC));
  const isShared = (flags & VM_MAYSHARE) !== 0n;
  const fills = pages.length > 0 && kind !== "shared anonymous";
  const name = `map 0x${start.toString(16)}`;
  const map = (fd: number): void => {
    bench.call(
      name,
      SYS.mmap,
      start,
      end - start,
      fills ? protection | PROT_WRITE : protection,
      mapFlags(area, isShared) | (fd < 0 ? MAP_ANONYMOUS : 0),
      fd,
      fd < 0 ? 0 : offset,
    );
  };
  if (area.segment !== undefined) attach(bench, area, sources.segment(area), protection);
  else if (kind === "anonymous") map(-1);
  else
    handOver.lend(kind === "shared anonymous" ? sources.shared(area.object) : sources.file(area.file), map);
  if (fills) {
    fill(bench, handOver.keep(sources.image), pages, sources);
    if ((protection & PROT_WRITE) === 0) bench.call(name, SYS.mprotect, start, end - start, protection);
  }
  // Advice that this kernel was built without cannot have been in force.
  for (const advice of advices(area.advice)) bench.attempt(SYS.madvise, start, end - start, advice);
  if ((flags & VM_LOCKED) !== 0n)
    bench.call(
      `lock 0x${start.toString(16)} in memory`,
      SYS.mlock2,
      start,
      end - start,
      (flags & VM_LOCKONFAULT) !== 0n ? MLOCK_ONFAULT : 0,
    );
}

/** A System V segment, shmat(2). */
function attach(bench: Workbench, { start, end, flags }: ImageArea, shmid: number, protection: number): void {
  const isReadOnly = (flags & VM_MAYWRITE) === 0n;
  const isCode = (protection & PROT_EXEC) !== 0;
  bench.call(
    `attach the segment ${shmid}`,
    SYS.shmat,
    shmid,
    start,
    (isReadOnly ? SHM_RDONLY : 0) | (isCode ? SHM_EXEC : 0),
  );
  bench.call("protect the segment as it was", SYS.mprotect, start, end - start, protection);
}

function mapFlags({ flags, isDroppable }: ImageArea, isShared: boolean): number {
  return (
    MAP_FIXED_NOREPLACE |
    (isDroppable ? MAP_DROPPABLE : isShared ? MAP_SHARED : MAP_PRIVATE) |
    ((flags & VM_GROWSDOWN) !== 0n ? MAP_GROWSDOWN : 0) |
    ((flags & VM_NORESERVE) !== 0n ? MAP_NORESERVE : 0)
  );
}

/** Lets the kernel put its vDSO where the image has one; its layout must be the same. */
export function mapVdso(bench: Workbench, areas: readonly ImageArea[]): void {
  const special = areas.filter(({ kind }) => kind === "vdso" || kind === "vvar");
  const [lowest] = special;
  if (lowest === undefined) return;
  bench.call("map the vDSO", SYS.arch_prctl, ARCH_MAP_VDSO_64, lowest.start);
  const { pid } = bench.tracee;
  const mapped = readAreas(pid).filter((area) => isVvar(area) || area.name === "[vdso]");
  const here = vdsoLayout(mapped.map((area) => ({ ...area, isCode: !isVvar(area) })));
  const there = vdsoLayout(special.map((area) => ({ ...area, isCode: area.kind === "vdso" })));
  if (here !== there)
    throw new BackendError(
      `the vDSO of this kernel (${here}) is laid out differently from that of the checkpoint (${there})`,
    );
}

/** Whether the vDSO that was mapped has the code that the image has: tasks keep addresses into it. */
export function assertSameVdso(bench: Workbench, areas: readonly ImageArea[], image: number): void {
  const vdso = areas.find(({ kind }) => kind === "vdso");
  if (vdso === undefined) return;
  const mapped = readAreas(bench.tracee.pid).find(({ name }) => name === "[vdso]") as Area;
  const here = bench.tracee.read(mapped.start, mapped.end - mapped.start);
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
export function describeMemory(bench: Workbench, { mm, auxv }: ImageMemory, exe: number): void {
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
  map.writeBigUInt64LE(BigInt(bench.put(auxv, PAGE_SIZE)), 88);
  map.writeUInt32LE(auxv.length, 96);
  map.writeInt32LE(exe, 100);
  bench.call("describe its memory", SYS.prctl, PR_SET_MM, PR_SET_MM_MAP, bench.put(map), MM_MAP_BYTES, 0);
}
