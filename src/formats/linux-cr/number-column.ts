const FIRST_CAPACITY = 1024;

/** A growing list of numbers from 0 to 2^32 - 1, 4 bytes each, since an image may have millions of records. */
export class NumberColumn {
  #values = new Uint32Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const bigger = new Uint32Array(this.#length * 2);
      bigger.set(this.#values);
      this.#values = bigger;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    return this.#values[index] as number;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }

  slice(start: number, end: number): number[] {
    return Array.from(this.#values.subarray(start, end));
  }

  /** Moves the numbers of `from` from `start` on to the end of this list. */
  take(from: NumberColumn, start: number): void {
    for (let i = start; i < from.#length; i++) this.push(from.at(i));
    from.#length = start;
  }
}
