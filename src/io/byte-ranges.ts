/** A set of byte ranges, kept sorted and joined. */
export class ByteRanges {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Adds [start, end). */
  add(start: number, end: number): void {
    if (start >= end) return;
    // The ranges from `first` to before `last` touch the new one, and are joined with it.
    const first = lowerBound(this.#ends, start);
    let last = first;
    while (last < this.#starts.length && (this.#starts[last] as number) <= end) last++;
    const from = Math.min(start, this.#starts[first] ?? start);
    const to = last > first ? Math.max(end, this.#ends[last - 1] as number) : end;
    this.#starts.splice(first, last - first, last > first ? from : start);
    this.#ends.splice(first, last - first, to);
  }

  /** The first position of [start, end) outside of all ranges; `end` if there is none. */
  firstMissing(start: number, end: number): number {
    const at = lowerBound(this.#ends, start + 1);
    const [from, to] = [this.#starts[at], this.#ends[at]];
    if (from === undefined || to === undefined || from > start) return Math.min(start, end);
    return Math.min(to, end);
  }

  /** The parts of [start, end) outside of all ranges, ascending. */
  *missing(start: number, end: number): Generator<readonly [start: number, end: number]> {
    let at = start;
    for (let i = lowerBound(this.#ends, start + 1); at < end; i++) {
      const from = Math.min(end, this.#starts[i] ?? end);
      if (from > at) yield [at, from];
      at = Math.max(from, this.#ends[i] ?? end);
    }
  }

  /** Whether some range has a byte of [start, end). */
  overlaps(start: number, end: number): boolean {
    const from = this.#starts[lowerBound(this.#ends, start + 1)];
    return from !== undefined && from < end;
  }
}

/** The index of the first value that is at least `wanted`. */
function lowerBound(values: readonly number[], wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
