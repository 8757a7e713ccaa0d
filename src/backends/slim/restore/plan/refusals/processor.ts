import { SELECTORS } from "../../../cpu-record.js";
import { type Host, vdsoLayout } from "../../host.js";
import { type Image, liveProcesses } from "../../image.js";
import type { ImageVma } from "../../image-memory.js";

/** Components of extended state and the flag of /proc/cpuinfo that a processor with them has: Intel SDM vol. 1, 13.1. */
const COMPONENTS: Readonly<Record<number, readonly [what: string, flag: string]>> = {
  2: ["AVX", "avx"],
  5: ["AVX-512", "avx512f"],
  6: ["AVX-512", "avx512f"],
  7: ["AVX-512", "avx512f"],
  9: ["memory protection keys", "pku"],
  17: ["AMX", "amx_tile"],
  18: ["AMX", "amx_tile"],
};
/** State of shadow stacks, of user and supervisor. */
const SHADOW_STACK: ReadonlySet<number> = new Set([11, 12]);
const USER64_CS = SELECTORS.find(([selector]) => selector === 0x33)?.[1];

/** Another kind of processor: nothing else of such an image is looked at. */
export function unsupportedArchitecture({ architecture }: Image, { arch }: Host): string[] {
  if (architecture !== "x86_64")
    return [`the checkpoint is of ${architecture} tasks, and this engine restores x86-64 alone`];
  return arch === "x64" ? [] : [`the checkpoint is of x86-64 tasks, and this processor is ${arch}`];
}

/** Modes and state that this processor lacks. */
export function unsupportedProcessor(image: Image, host: Host): string[] {
  const found = liveProcesses(image).flatMap(({ process }) =>
    process.threads.flatMap(({ tid, codeSelector, xsave }) => {
      const reasons = new Set(xsave.components.flatMap(({ component }) => componentReason(component, host)));
      if (codeSelector !== USER64_CS) reasons.add("runs 32-bit code");
      return [...reasons].map((reason) => `thread ${tid} of task ${process.ids.pid} ${reason}`);
    }),
  );
  return [...found, ...unsupportedVdso(image, host)];
}

function componentReason(component: number, { cpuFlags }: Host): string[] {
  if (SHADOW_STACK.has(component)) return ["has a shadow stack"];
  const known = COMPONENTS[component];
  if (known === undefined) return [`has processor state ${component}, which this engine does not know`];
  const [what, flag] = known;
  return cpuFlags.has(flag) ? [] : [`has state of ${what}, which this processor lacks`];
}

/** Programs keep addresses into the vDSO: it must be the same one. All processes of one kernel have the same. */
function unsupportedVdso(image: Image, { vdso }: Host): string[] {
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
            ? "the vDSO of this kernel has other code than its own: restart on the kernel that it was taken on"
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
