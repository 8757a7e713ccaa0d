import { hex } from "../../../io/hex.js";
import {
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WIPEONFORK,
  TASK_SIZE,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYSHARE,
  VM_READ,
  VM_WRITE,
} from "../../../linux/mman.js";
import type { Vma } from "../proc/mappings.js";
import type { PageRange } from "../proc/pagemap.js";
import type { Difference } from "../restore/difference.js";
import { type ImageVma, isFileVma } from "./image.js";
import { adviceOf, vmFlags } from "./vma-flags.js";

/** The flags that a restart sets and every kernel shows. */
const FLAGS = [
  ["readable", VM_READ],
  ["writable", VM_WRITE],
  ["executable", VM_EXEC],
  ["shared", VM_MAYSHARE],
  ["growing downwards", VM_GROWSDOWN],
  ["locked", VM_LOCKED],
  ["locked once used", VM_LOCKONFAULT],
] as const;

/** Advice of madvise(2) that no kernel option decides over. */
const ADVICE = [MADV_RANDOM, MADV_SEQUENTIAL, MADV_DONTFORK, MADV_DONTDUMP, MADV_WIPEONFORK].reduce(
  (mask, advice) => mask | (1n << BigInt(advice)),
  0n,
);

/**
 * Areas of a task that are not as the image has them: addresses, permissions, offsets, what is mapped. Neighbours that the
 * kernel keeps as one VMA, or as several, are the same memory. Both ascend. `fileOf` names what a FILE leads to.
 */
export function vmaDifferences(
  expected: readonly ImageVma[],
  found: readonly Vma[],
  fileOf: (objref: number) => string,
): Difference[] {
  const differences: Difference[] = [];
  const there = found.filter(({ start }) => start < TASK_SIZE);
  let i = 0;
  let at = 0;
  for (const vma of expected) {
    at = Math.max(at, vma.start);
    // What ends before this VMA belongs to none of the image, but for what was compared with the one before.
    for (; i < there.length && (there[i] as Vma).end <= at; i++);
    while (at < vma.end) {
      const real = there[i];
      if (real === undefined || real.start > at) {
        const end = Math.min(vma.end, real?.start ?? vma.end);
        differences.push(difference(at, end, words(vma), "nothing"));
        at = end;
        continue;
      }
      const end = Math.min(vma.end, real.end);
      differences.push(...pieceDifferences(vma, real, at, end, fileOf));
      at = end;
      if (real.end <= at) i++;
    }
  }
  return [...differences, ...strangers(expected, there)];
}

/** Guard pages of a task that are not where the image has them. Both ascend; neighbours may be one range or several. */
export function guardDifferences(expected: readonly ImageVma[], found: readonly PageRange[]): Difference[] {
  const wanted = joined(expected.flatMap(({ guards }) => guards));
  const there = joined(found);
  return wanted === there ? [] : [{ object: "guard pages", expected: wanted, found: there }];
}

function joined(ranges: readonly PageRange[]): string {
  const all: { start: number; end: number }[] = [];
  for (const { start, end } of ranges) {
    const last = all.at(-1);
    if (last?.end === start) last.end = end;
    else all.push({ start, end });
  }
  return all.map(({ start, end }) => `${hex(start)}-${hex(end)}`).join(" ") || "none";
}

/** Areas that the image does not have. */
function strangers(expected: readonly ImageVma[], found: readonly Vma[]): Difference[] {
  const differences: Difference[] = [];
  let i = 0;
  for (const { start, end, permissions, name } of found) {
    let at = start;
    while (at < end) {
      for (; i < expected.length && (expected[i] as ImageVma).end <= at; i++);
      const next = expected[i];
      if (next !== undefined && next.start <= at) {
        at = Math.min(end, next.end);
        continue;
      }
      const stop = Math.min(end, next?.start ?? end);
      differences.push(difference(at, stop, "nothing", `${permissions} ${name}`.trim()));
      at = stop;
    }
  }
  return differences;
}

function pieceDifferences(
  vma: ImageVma,
  real: Vma,
  start: number,
  end: number,
  fileOf: (objref: number) => string,
): Difference[] {
  const { kind } = vma;
  if (kind === "vdso" || kind === "vvar") return [];
  const flags = vmFlags(real.flags);
  const differences: Difference[] = FLAGS.flatMap(([name, bit]) =>
    (vma.flags & bit) === (flags & bit)
      ? []
      : [difference(start, end, is(name, vma.flags & bit), is(name, flags & bit))],
  );
  const advice = (mask: bigint): string => `advice ${hex(mask & ADVICE)}`;
  if (advice(vma.advice) !== advice(adviceOf(real.flags)))
    differences.push(difference(start, end, advice(vma.advice), advice(adviceOf(real.flags))));
  if (!isFileVma(vma)) return differences;
  const wanted = vma.offset + (start - vma.start);
  const offset = real.offset + (start - real.start);
  if (wanted !== offset)
    differences.push(difference(start, end, `offset ${hex(wanted)}`, `offset ${hex(offset)}`));
  const file = fileOf(vma.file);
  if (file !== real.name) differences.push(difference(start, end, file, real.name || "no file"));
  return differences;
}

function difference(start: number, end: number, expected: string, found: string): Difference {
  return { object: `VMA ${hex(start)}-${hex(end)}`, expected, found };
}

function is(name: string, bit: bigint): string {
  return bit === 0n ? `not ${name}` : name;
}

function words({ kind }: ImageVma): string {
  return String(kind);
}
