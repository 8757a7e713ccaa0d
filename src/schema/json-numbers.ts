import type { EnumTable, FlagTable } from "../io/enums.js";
import { ValueError } from "./encode.js";

const INTEGER = /^\s*([+-]?)(0[xX]-?[0-9a-fA-F]{1,64}|0[oO][0-7]{1,64}|0[bB][01]{1,64}|[0-9]{1,64})\s*$/;

/** An integer from text: decimal, 0x, 0o or 0b; also `0x-1`, as crit prints negative ones. Errors: ValueError. */
export function parseInteger(text: string): bigint {
  const [, sign, digits = ""] = INTEGER.exec(text) ?? [];
  if (sign === undefined) throw new ValueError(`not an integer: ${quoted(text)}`);
  const isNegative = (sign === "-") !== digits.includes("-");
  const value = BigInt(digits.replace("-", ""));
  return isNegative ? -value : value;
}

/** The number of an enum's name, or a number as text. Errors: ValueError, which lists the names. */
export function enumValue(
  table: EnumTable,
  text: string,
  names: ReadonlyMap<number, string> = table.names,
): number {
  const known = names === table.names ? table.values.get(text) : undefined;
  if (known !== undefined) return known;
  for (const [value, name] of names) if (name === text) return value;
  if (INTEGER.test(text)) return Number(parseInteger(text));
  throw new ValueError(`unknown name ${quoted(text)} (expected ${[...names.values()].join(", ")})`);
}

/** The mask of `A | B | 0x100`; empty text is 0. Errors: ValueError, which lists the names. */
export function flagsValue(table: FlagTable, text: string): bigint {
  if (text.trim() === "") return 0n;
  let mask = 0n;
  for (const part of text.split("|").map((name) => name.trim())) {
    const bits = table.bits.get(part);
    if (bits === undefined && !INTEGER.test(part))
      throw new ValueError(
        `unknown flag ${quoted(part)} (expected a number or ${[...table.bits.keys()].join(", ")})`,
      );
    mask |= bits ?? parseInteger(part);
  }
  return mask;
}

/** A device `major:minor` in the kernel's form, 20 bits of minor, or a plain number. */
export function parseDev(text: string): bigint {
  const parts = deviceParts(text, 20n);
  return parts === undefined ? parseInteger(text) : (parts.major << 20n) | parts.minor;
}

/** A device `major:minor` in the form of stat(2), or a plain number. */
export function parseOdev(text: string): bigint {
  const parts = deviceParts(text, 32n);
  if (parts === undefined) return parseInteger(text);
  const { major, minor } = parts;
  return (
    ((major & 0xfffff000n) << 32n) |
    ((major & 0xfffn) << 8n) |
    ((minor & 0xffffff00n) << 12n) |
    (minor & 0xffn)
  );
}

function deviceParts(text: string, minorBits: bigint): { major: bigint; minor: bigint } | undefined {
  const [, high, low] = /^\s*([0-9]{1,20})\s*:\s*([0-9]{1,20})\s*$/.exec(text) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [major, minor] = [BigInt(high), BigInt(low)];
  if (major >> 32n !== 0n || minor >> minorBits !== 0n)
    throw new ValueError(
      `invalid device ${quoted(text)} (expected major below 2^32 and minor below 2^${minorBits})`,
    );
  return { major, minor };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
