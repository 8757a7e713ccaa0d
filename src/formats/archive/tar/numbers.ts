import { FormatError } from "../../../io/errors.js";

/**
 * A number of a header: octal text between blanks and NULs, or base-256 where the first bit is set. An empty field is 0.
 * Errors: FormatError INVALID for other text, a negative number, or more than 2^53.
 */
export function tarNumber(field: Buffer, name: string, file: string, offset: number): number {
  const value = (field[0] as number) & 0x80 ? base256(field) : octal(field);
  if (value !== undefined && Number.isSafeInteger(value) && value >= 0) return value;
  const found = JSON.stringify(field.toString("latin1").replace(/\0+$/, ""));
  throw new FormatError("INVALID", `invalid ${name} ${found} of a tar member (expected an octal number)`, {
    file,
    offset,
  });
}

function octal(field: Buffer): number | undefined {
  const digits = /^[ \0]*([0-7]*)(?:[ \0]|$)/.exec(field.toString("latin1"))?.[1];
  return digits === "" ? 0 : digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** Two's complement of all bits but the first, which marks it; a negative number is undefined. */
function base256(field: Buffer): number | undefined {
  if ((field[0] as number) & 0x40) return undefined;
  let value = (field[0] as number) & 0x3f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return value;
}
