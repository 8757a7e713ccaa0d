/** JSON that others may have written: what it costs, and its parts as what is expected. Errors: TypeError for a part that is another. */

/** `,` `[` `{`: each JSON value but the outermost stands behind one. */
const BEFORE_VALUES = new Set([0x2c, 0x5b, 0x7b]);

/** An upper bound of the values in JSON text: what parsing it costs. */
export function valuesIn(text: Buffer): number {
  let values = 1;
  for (const byte of text) if (BEFORE_VALUES.has(byte)) values++;
  return values;
}

export function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`${what} expected`);
  return value as Record<string, unknown>;
}

export function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError("a list expected");
  return value;
}

export function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("text expected");
  return value;
}

/** A size, an offset or a number of things. */
export function countOf(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError("a count expected");
  return value as number;
}

export function matching(value: unknown, pattern: RegExp): string {
  const text = textOf(value);
  if (!pattern.test(text)) throw new TypeError(`${pattern} expected`);
  return text;
}
