import type { EnumTable, FlagTable } from "./enums.js";

/** Numbers from `min` to `max`, both included. */
export interface Range {
  readonly kind: "range";
  readonly min: bigint;
  readonly max: bigint;
}

/** The valid values of a number: those of an enum, bits of a mask, or a range. */
export type Domain = EnumTable | FlagTable | Range;

export function range(min: number | bigint, max: number | bigint): Range {
  return { kind: "range", min: BigInt(min), max: BigInt(max) };
}

/** A boolean. */
export const BOOLEAN = range(0, 1);

export function isWithin(domain: Domain, value: number | bigint): boolean {
  switch (domain.kind) {
    case "enum":
      return domain.names.has(Number(value));
    case "flags":
      return (BigInt.asUintN(64, BigInt(value)) & ~knownBits(domain)) === 0n;
    case "range":
      return BigInt(value) >= domain.min && BigInt(value) <= domain.max;
  }
}

/** The valid values of a number, for messages: `0, 1, 2 or 4`, `bits of 0xff`, `-20 to 19`. */
export function domainText(domain: Domain): string {
  switch (domain.kind) {
    case "enum":
      return [...domain.names.keys()].join(", ").replace(/, (\S+)$/, " or $1");
    case "flags":
      return `bits of 0x${knownBits(domain).toString(16)}`;
    case "range":
      return domain.min === domain.max ? String(domain.min) : `${domain.min} to ${domain.max}`;
  }
}

/** The values of a domain with their names, for documentation: `0 SIGEV_SIGNAL, 1 SIGEV_NONE`. */
export function valuesText(domain: Domain): string {
  switch (domain.kind) {
    case "enum":
      return [...domain.names].map(([value, name]) => `${value} ${name}`).join(", ");
    case "flags":
      return [...domain.bits].map(([name, bit]) => `0x${bit.toString(16)} ${name}`).join(", ");
    case "range":
      return domainText(domain);
  }
}

/** All bits that a table names. */
export function knownBits({ bits }: FlagTable): bigint {
  let mask = 0n;
  for (const bit of bits.values()) mask |= bit;
  return mask;
}
