/** Names of the values of one number: `name -> value`. */
export interface EnumTable {
  readonly kind: "enum";
  readonly name: string;
  readonly values: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
  /** The names that crit prints and reads; some are wrong. */
  readonly critNames: ReadonlyMap<number, string>;
}

/** Names of the bits of a mask. Entries of several bits match as a whole, in table order. */
export interface FlagTable {
  readonly kind: "flags";
  readonly name: string;
  readonly bits: ReadonlyMap<string, bigint>;
  /** The names that crit prints; it shows other bits as a number. */
  readonly critNames: ReadonlySet<string>;
}

/** `critValues` are the names that crit uses, if they differ. */
export function enumTable(
  name: string,
  values: Readonly<Record<string, number>>,
  critValues: Readonly<Record<string, number>> = values,
): EnumTable {
  return {
    kind: "enum",
    name,
    values: new Map(Object.entries(values)),
    names: namesOf(values),
    critNames: namesOf(critValues),
  };
}

function namesOf(values: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(values).map(([key, value]) => [value, key]));
}

/** `critBits` are the names that crit also knows, `moreBits` those that only crimg prints. */
export function flagTable(
  name: string,
  critBits: Readonly<Record<string, number>>,
  moreBits: Readonly<Record<string, number>> = {},
): FlagTable {
  const bits = Object.entries({ ...critBits, ...moreBits });
  return {
    kind: "flags",
    name,
    bits: new Map(bits.map(([key, bit]) => [key, BigInt(bit)])),
    critNames: new Set(Object.keys(critBits)),
  };
}

/** The value's name, or the number as text if unknown. */
export function enumName(table: EnumTable, value: number): string {
  return table.names.get(value) ?? String(value);
}

/** The number of a name from `enumName`. */
export function enumNumber(table: EnumTable, name: string): number {
  return table.values.get(name) ?? Number(name);
}

/** Names of the set bits, then the unknown bits as one hex number. Empty for 0. */
export function flagNames(table: FlagTable, mask: number | bigint): string[] {
  let rest = BigInt(mask);
  const names: string[] = [];
  for (const [name, bits] of table.bits) {
    if (bits !== 0n && (rest & bits) === bits) {
      names.push(name);
      rest &= ~bits;
    }
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names;
}
