/** One thing that is not as the image has it. */
export interface Difference {
  /** What it is of a task: `VMA 0x1000-0x3000`. */
  readonly object: string;
  readonly expected: string;
  readonly found: string;
}

/** A difference when two values, as words, are not the same. */
export function compare(object: string, expected: unknown, found: unknown): Difference[] {
  return String(expected) === String(found)
    ? []
    : [{ object, expected: String(expected), found: String(found) }];
}
