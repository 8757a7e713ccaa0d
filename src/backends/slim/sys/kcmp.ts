import { SYS } from "./abi-x64.js";
import { attempt } from "./syscall.js";

/** kcmp(2): 0 when both are the same object of the kernel, 1 and 2 when the first comes before or after the other. */
export function kcmp(
  one: number,
  other: number,
  what: number,
  a: number | Buffer = 0,
  b: number | Buffer = 0,
): number {
  return attempt(SYS.kcmp, one, other, what, a, b);
}

/** As a function for sorting wants it. */
export function orderOf(result: number): number {
  return result === 0 ? 0 : result === 1 ? -1 : 1;
}

/** What kcmp(2) would say of the two in the other order. */
export function turned(result: number): number {
  return result === 1 ? 2 : result === 2 ? 1 : result;
}

/**
 * The first of `sorted` that does not come before what is looked for, and whether it is the same. `compare` is kcmp(2) of
 * what is looked for and one that is there.
 */
export function search<T>(
  sorted: readonly T[],
  compare: (there: T) => number,
): { readonly at: number; readonly found: T | undefined } {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const result = compare(sorted[middle] as T);
    if (result === 0) return { at: middle, found: sorted[middle] };
    if (result === 1) high = middle;
    else low = middle + 1;
  }
  return { at: low, found: undefined };
}
