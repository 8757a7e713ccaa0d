import { UsageError } from "../../io/errors.js";
import { isOctal } from "../../schema/field-text.js";

/** The value of `--set` that takes a field, a list element or a whole record away. */
export const ABSENT = "absent";

/** For a place that is a whole record. */
export function noFieldNamed(place: string, fields: readonly string[]): UsageError {
  return new UsageError(`name a field behind ${place}: ${fields.join(", ")}`);
}

/**
 * The number that a person types for a field: with a leading zero it is octal where the field is shown so, as chmod(1)
 * takes it. Anything else stays as it is. Errors: USAGE for a leading zero elsewhere, which would be read as decimal.
 */
export function typedNumber(name: string, value: string, place: string): string {
  const [, digits] = /^\s*0([0-9]+)\s*$/.exec(value) ?? [];
  if (digits === undefined) return value;
  const isOctalNumber = /^[0-7]+$/.test(digits);
  if (isOctal(name) && isOctalNumber) return String(BigInt(`0o${digits}`));
  const advice = isOctalNumber ? ` (octal is 0o${digits})` : "";
  throw new UsageError(
    `invalid value ${JSON.stringify(value)} of ${name}: leading zero in a number${advice}`,
    { path: place },
  );
}
