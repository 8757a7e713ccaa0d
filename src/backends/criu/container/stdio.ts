import type { RestoreOption } from "../../../ops/restore-options/option.js";

/** The first descriptor of criu behind its standard streams. */
const FIRST_INHERITED = 3;

/**
 * Pipes that the engine had the other ends of: the standard streams of criu take their place or, `apart` from these, the
 * descriptors 3, 4 … in this order, since criu closes each. `targets`: of the descriptors 0 to 2 of the container, as runc
 * and crun store them.
 */
export function inheritedPipes(targets: readonly string[], apart: boolean): RestoreOption[] {
  const pipes = new Map<string, number>();
  for (const [fd, target] of targets.entries())
    if (/^pipe:\[\d+\]$/.test(target) && !pipes.has(target)) pipes.set(target, fd);
  return [...pipes].map(([pipe, fd], i) => ({
    option: "--inherit-fd",
    value: `fd[${apart ? FIRST_INHERITED + i : fd}]:${pipe}`,
    reason: `standard stream ${fd} of the container`,
    objects: [pipe],
    from: "descriptors.json",
  }));
}
