/** The parts of parsed JSON that others may have written, as what is expected of them. Errors: TypeError for all of these. */

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
