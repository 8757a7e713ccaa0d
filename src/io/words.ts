import { CrimgError } from "./errors.js";

/** C integers by size and sign, little-endian; `be16` is in network byte order. */
export type FixedWord = "u16" | "be16" | "s32" | "u32" | "s64" | "u64";

const WORDS: Readonly<Record<FixedWord, readonly [bytes: number, min: bigint, max: bigint]>> = {
  u16: [2, 0n, 0xffffn],
  be16: [2, 0n, 0xffffn],
  s32: [4, -0x8000_0000n, 0x7fff_ffffn],
  u32: [4, 0n, 0xffff_ffffn],
  s64: [8, -(1n << 63n), (1n << 63n) - 1n],
  u64: [8, 0n, (1n << 64n) - 1n],
};

/**
 * The bytes of a C array of integers. `what` names one in an error: the numbers come from images, where a field is often
 * wider than the target.
 * Errors: CrimgError INVALID for a number that does not fit.
 */
export function wordBytes(word: FixedWord, numbers: readonly (number | bigint)[], what: string): Buffer {
  const [size, min, max] = WORDS[word];
  const out = Buffer.alloc(numbers.length * size);
  for (const [i, number] of numbers.entries()) {
    if (typeof number === "number" && !Number.isSafeInteger(number)) refuse(what, number, min, max);
    const value = BigInt(number);
    if (value < min || value > max) refuse(what, value, min, max);
    let rest = BigInt.asUintN(size * 8, value);
    for (let at = 0; at < size; at++, rest >>= 8n)
      out[i * size + (word === "be16" ? size - 1 - at : at)] = Number(rest & 0xffn);
  }
  return out;
}

function refuse(what: string, number: number | bigint, min: bigint, max: bigint): never {
  throw new CrimgError("INVALID", `invalid ${what} ${number} (expected ${min} to ${max})`);
}
