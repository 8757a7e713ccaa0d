import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { ARCH_MAP_VDSO_64 } from "../../../linux/prctl.js";
import { isVvar, readVmas, type Vma } from "../proc/mappings.js";
import { type Image, liveProcesses } from "../restore/image.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import type { ImageVma } from "./image.js";

/** A vDSO and the VMAs that the kernel puts beside it. */
export interface Vdso {
  /** `name: first-end` of each VMA, ascending, in bytes from the lowest. */
  readonly layout: string;
  readonly code: Buffer;
}

/** Every process has the same one, wherever it stands. */
export function ownVdso(): Vdso | undefined {
  const special = readVmas(process.pid).filter((vma) => isVvar(vma) || isVdso(vma));
  const vdso = special.find(isVdso);
  if (vdso === undefined) return undefined;
  const code = Buffer.alloc(vdso.end - vdso.start);
  const memory = fs.openSync("/proc/self/mem", "r");
  try {
    fs.readSync(memory, code, 0, code.length, vdso.start);
  } finally {
    fs.closeSync(memory);
  }
  return { layout: vdsoLayout(special.map((vma) => ({ ...vma, isCode: isVdso(vma) }))), code };
}

function isVdso({ name }: Vma): boolean {
  return name === "[vdso]";
}

/** The VMAs of a vDSO without the address that they stand at; data VMAs that touch are one, as criu stores them. */
function vdsoLayout(
  vmas: readonly { readonly start: number; readonly end: number; readonly isCode: boolean }[],
): string {
  const lowest = Math.min(...vmas.map(({ start }) => start));
  const merged: { start: number; end: number; isCode: boolean }[] = [];
  for (const { start, end, isCode } of vmas) {
    const last = merged.at(-1);
    if (last !== undefined && last.isCode === isCode && last.end === start) last.end = end;
    else merged.push({ start, end, isCode });
  }
  return merged
    .map(({ start, end, isCode }) => `${isCode ? "code" : "data"} ${start - lowest}-${end - lowest}`)
    .join(", ");
}

/** Why the vDSO of a task could not be mapped again as it is, on this very kernel; undefined when it could. */
export function whyNotMappedAgain(vmas: readonly Vma[], { layout }: Vdso): string | undefined {
  const special = vmas.filter((vma) => isVvar(vma) || isVdso(vma));
  if (!special.some(isVdso)) return "has no vDSO, by which a restart lets it go on";
  const own = vdsoLayout(special.map((vma) => ({ ...vma, isCode: isVdso(vma) })));
  return own === layout
    ? undefined
    : `has a vDSO that is laid out differently (${own}) from how the kernel maps it (${layout})`;
}

/** Programs keep addresses into the vDSO: it must be the same one. All processes of one kernel have the same. */
export function unsupportedVdso(image: Image, vdso: Vdso | undefined): string[] {
  const done = new Set<string>();
  return liveProcesses(image).flatMap(({ process, objects }) => {
    const { vmas } = image.memory(objects.mm_objref);
    const special = vmas.filter(({ kind }) => kind === "vdso" || kind === "vvar");
    const code = special.find(({ kind }) => kind === "vdso");
    if (code === undefined) return [];
    const layout = vdsoLayout(special.map((vma) => ({ ...rangeOf(vma), isCode: vma === code })));
    const reason =
      vdso === undefined
        ? "this kernel has no vDSO"
        : layout !== vdso.layout
          ? `the vDSO of this kernel (${vdso.layout}) is laid out differently from its own (${layout})`
          : hasOtherCode(image, code, vdso.code)
            ? "the vDSO of this kernel has other code than its own: restore on the kernel of the checkpoint"
            : undefined;
    if (reason === undefined || done.has(reason)) return [];
    done.add(reason);
    return [`task ${process.ids.pid}: ${reason}`];
  });
}

function rangeOf({ start, end }: ImageVma): { readonly start: number; readonly end: number } {
  return { start, end };
}

function hasOtherCode({ reader }: Image, { start, pages }: ImageVma, code: Buffer): boolean {
  return pages.some((range) => {
    const there = reader.image.source.read(range.offset, range.end - range.start);
    return !there.equals(code.subarray(range.start - start, range.end - start));
  });
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
        "the vDSO of this kernel has other code than that of the checkpoint: restore on the kernel of the checkpoint",
      );
  }
}
