import { TASK_SIZE } from "../../../../linux/mman.js";
import type { Area } from "../../proc/mappings.js";

import {
  adviceOf,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYSHARE,
  VM_READ,
  VM_WRITE,
  vmFlags,
} from "../../vma-flags.js";
import type { ImageArea } from "../image-memory.js";
import { hex } from "../plan/step.js";
import type { Difference } from "./difference.js";

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

/** Advice of madvise(2) that no kernel option decides over: random, sequential, not forked, not dumped, wiped on fork. */
const ADVICE = (1n << 1n) | (1n << 2n) | (1n << 10n) | (1n << 16n) | (1n << 18n);

/**
 * Areas of a task that are not as the image has them: addresses, permissions, offsets, what is mapped. Neighbours that the
 * kernel keeps as one area, or as several, are the same memory. Both ascend. `fileOf` names what a FILE leads to.
 */
export function areaDifferences(
  expected: readonly ImageArea[],
  found: readonly Area[],
  fileOf: (objref: number) => string,
): Difference[] {
  const differences: Difference[] = [];
  const there = found.filter(({ start }) => start < TASK_SIZE);
  let i = 0;
  let at = 0;
  for (const area of expected) {
    at = Math.max(at, area.start);
    // What ends before this area belongs to none of the image, but for what was compared with the one before.
    for (; i < there.length && (there[i] as Area).end <= at; i++);
    while (at < area.end) {
      const real = there[i];
      if (real === undefined || real.start > at) {
        const end = Math.min(area.end, real?.start ?? area.end);
        differences.push(difference(at, end, words(area), "nothing"));
        at = end;
        continue;
      }
      const end = Math.min(area.end, real.end);
      differences.push(...pieceDifferences(area, real, at, end, fileOf));
      at = end;
      if (real.end <= at) i++;
    }
  }
  return [...differences, ...strangers(expected, there)];
}

/** Areas that the image does not have. */
function strangers(expected: readonly ImageArea[], found: readonly Area[]): Difference[] {
  const differences: Difference[] = [];
  let i = 0;
  for (const { start, end, permissions, name } of found) {
    let at = start;
    while (at < end) {
      for (; i < expected.length && (expected[i] as ImageArea).end <= at; i++);
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
  area: ImageArea,
  real: Area,
  start: number,
  end: number,
  fileOf: (objref: number) => string,
): Difference[] {
  const { kind } = area;
  if (kind === "vdso" || kind === "vvar") return [];
  const flags = vmFlags(real.flags);
  const differences: Difference[] = FLAGS.flatMap(([name, bit]) =>
    (area.flags & bit) === (flags & bit)
      ? []
      : [difference(start, end, is(name, area.flags & bit), is(name, flags & bit))],
  );
  const advice = (mask: bigint): string => `advice ${hex(mask & ADVICE)}`;
  if (advice(area.advice) !== advice(adviceOf(real.flags)))
    differences.push(difference(start, end, advice(area.advice), advice(adviceOf(real.flags))));
  if (kind !== "private file" && kind !== "shared file") return differences;
  const wanted = area.offset + (start - area.start);
  const offset = real.offset + (start - real.start);
  if (wanted !== offset)
    differences.push(difference(start, end, `offset ${hex(wanted)}`, `offset ${hex(offset)}`));
  const file = fileOf(area.file);
  if (file !== real.name) differences.push(difference(start, end, file, real.name || "no file"));
  return differences;
}

function difference(start: number, end: number, expected: string, found: string): Difference {
  return { object: `the area ${hex(start)}-${hex(end)}`, expected, found };
}

function is(name: string, bit: bigint): string {
  return bit === 0n ? `not ${name}` : name;
}

function words({ kind }: ImageArea): string {
  return kind;
}
