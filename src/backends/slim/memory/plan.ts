import { RECORDS } from "../../../formats/linux-cr/records.js";
import { hex } from "../../../io/hex.js";
import { F_SEAL_SEAL } from "../../../linux/files.js";
import { PAGE_SIZE, TASK_SIZE } from "../../../linux/mman.js";
import { permissionsOf } from "../../../model/mapping.js";
import type { Host } from "../restore/host.js";
import { type Image, liveProcesses } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import { type ImageVma, isFileVma } from "./image.js";

/** Builds address spaces. */
export type MemoryStep =
  | (StepBase & { readonly kind: "vdso"; readonly memory: number })
  | (StepBase & { readonly kind: "vma"; readonly vma: ImageVma })
  | (StepBase & { readonly kind: "describe memory"; readonly memory: number })
  | (StepBase & { readonly kind: "detach segments" })
  | (StepBase & { readonly kind: "seals" });

/** Maps and fills the VMAs of every process, and says what they are for. */
export function memorySteps(image: Image): MemoryStep[] {
  const steps = liveProcesses(image).flatMap(({ process, objects }): MemoryStep[] => {
    const task = process.ids.pid;
    const memory = objects.mm_objref;
    const { vmas, exe } = image.memory(memory);
    return [
      ...vdsoStep(task, memory, vmas),
      ...vmas
        .filter(({ kind }) => kind !== "vdso" && kind !== "vvar")
        .map((vma): MemoryStep => ({ kind: "vma", task, vma, what: vmaWords(image, vma) })),
      {
        kind: "describe memory",
        task,
        memory,
        what: `set code, heap, stack and argument addresses; the program is ${image.files.get(exe)?.label ?? "unknown"}`,
      },
    ];
  });
  return [...steps, ...detachStep(steps), ...sealStep(image)];
}

/** A task sees how often a segment is attached, shmctl(2). */
function detachStep(steps: readonly MemoryStep[]): MemoryStep[] {
  return steps.some((step) => step.kind === "vma" && step.vma.segment !== undefined)
    ? [{ kind: "detach segments", task: 0, what: "detach the System V segments that crimg has filled" }]
    : [];
}

/** F_SEAL_FUTURE_WRITE forbids mappings that are there already: fcntl(2). */
function sealStep({ reader }: Image): MemoryStep[] {
  for (const part of reader.objects("FILE"))
    if ((reader.find(part, RECORDS.MEMFD)?.value.seals ?? 0) > F_SEAL_SEAL)
      return [{ kind: "seals", task: 0, what: "seal the memfds", why: "all mappings exist by now" }];
  return [];
}

function vdsoStep(task: number, memory: number, vmas: readonly ImageVma[]): MemoryStep[] {
  const [lowest] = vmas.filter(({ kind }) => kind === "vdso" || kind === "vvar");
  if (lowest === undefined) return [];
  const what = `map the vDSO at ${hex(lowest.start)} and compare its code`;
  return [{ kind: "vdso", task, memory, what, why: "programs keep addresses into it" }];
}

function vmaWords({ files }: Image, vma: ImageVma): string {
  const { start, end, kind, flags, offset, file, object, guards } = vma;
  const of = isFileVma(vma)
    ? `${files.get(file)?.label ?? `FILE ${file}`} from ${hex(offset)}`
    : kind === "shared anonymous"
      ? `shared memory ${object} from ${hex(offset)}`
      : kind;
  const guarded = guards.length > 0 ? " with guard pages" : "";
  return `map ${hex(start)}-${hex(end)} ${permissionsOf(flags)} ${of}${guarded}`;
}

const MAPPED: ReadonlySet<ImageVma["kind"]> = new Set([
  ...(["anonymous", "shared anonymous", "file", "memfd", "vdso", "vvar"] as const),
]);

/** 6.13, as `Host.kernel` has it. */
const GUARD_PAGES_SINCE = 6_013;

/** VMAs that the slim backend cannot map. */
export function unsupportedVmas(image: Image, { kernel }: Host): string[] {
  return liveProcesses(image).flatMap(({ process, objects }) => {
    const { pid } = process.ids;
    let last = 0;
    return image.memory(objects.mm_objref).vmas.flatMap((vma) => {
      const { start, end, file, guards } = vma;
      const where = `task ${pid}: VMA ${hex(start)}-${hex(end)}`;
      const overlaps = start < last;
      last = Math.max(last, end);
      if (end <= start || start % PAGE_SIZE !== 0 || end % PAGE_SIZE !== 0 || end > TASK_SIZE)
        return [`${where} is outside the address space of a 64-bit task`];
      if (overlaps) return [`${where} overlaps the one before it`];
      if (!MAPPED.has(vma.kind)) return [`${where} has a kind that the slim backend does not map`];
      if (isFileVma(vma) && image.files.get(file) === undefined)
        return [`${where} maps FILE ${file}, which is not in the checkpoint`];
      if (guards.length > 0 && kernel < GUARD_PAGES_SINCE)
        return [`${where} has guard pages (MADV_GUARD_INSTALL), which kernels before 6.13 do not have`];
      return [];
    });
  });
}
