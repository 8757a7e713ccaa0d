import type { Edit } from "./plan.js";

/** Words of an address in the order of memory of a little-endian machine, one or four. */
export interface AddressRule {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** An address rule that knows its edit. */
export interface OwnedAddressRule extends AddressRule {
  readonly edit: Edit;
}

/** ::ffff:0:0/96, the head of an IPv4 address in an IPv6 socket. */
const MAPPED = [0, 0, 0xffff0000];

/** The words after the rule; undefined when it does not match. Some ancient sets keep IPv4 in four words. */
export function remapped(words: readonly number[], { from, to }: AddressRule): number[] | undefined {
  if (equal(words, from)) return [...to];
  if (from.length === 4) return undefined;
  if (equal(words, [...MAPPED, from[0] as number])) return [...MAPPED, to[0] as number];
  if (equal(words, [from[0] as number, 0, 0, 0])) return [to[0] as number, 0, 0, 0];
  return undefined;
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
