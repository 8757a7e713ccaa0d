import type { Origin } from "./origin.js";

/** credentials(7), and what execve(2) makes of them. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly suid: number;
  readonly sgid: number;
  readonly fsuid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Capability masks, capabilities(7); bit n is capability n. */
  readonly inheritable: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly securebits: number;
  /** A number that is no switch stays what is stored. */
  readonly noNewPrivs: boolean | number;
  readonly lsmProfile: string | undefined;
  /** The record of the credentials, and its field when they stand inside another. */
  readonly origin: Origin;
}

/** A switch as a number that is stored. */
export function switchOf(stored: number): boolean | number {
  return stored > 1 ? stored : stored === 1;
}

/** Two words, the low one first. */
export function maskOf([low = 0, high = 0]: readonly number[]): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The words of a mask, the low one first. */
export function wordsOf(mask: bigint): [low: number, high: number] {
  return [Number(BigInt.asUintN(32, mask)), Number(mask >> 32n)];
}
