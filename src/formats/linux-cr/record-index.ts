const FIRST_CAPACITY = 1024;

/** Where the records of an image stand: 16 bytes a record, so that millions fit into memory. */
export class RecordIndex {
  #length = 0;
  #ids = new Uint32Array(FIRST_CAPACITY);
  #sizes = new Uint32Array(FIRST_CAPACITY);
  #offsets = new Float64Array(FIRST_CAPACITY);

  get length(): number {
    return this.#length;
  }

  /** `size` is the record's len: its header and all that it holds, in bytes. */
  push(id: number, offset: number, size: number): void {
    if (this.#length === this.#ids.length) this.#grow();
    this.#ids[this.#length] = id;
    this.#offsets[this.#length] = offset;
    this.#sizes[this.#length++] = size;
  }

  id(index: number): number | undefined {
    return index < this.#length ? this.#ids[index] : undefined;
  }

  offset(index: number): number {
    return this.#offsets[index] as number;
  }

  size(index: number): number {
    return this.#sizes[index] as number;
  }

  #grow(): void {
    const grown = <T extends Uint32Array | Float64Array>(bigger: T, old: T): T => {
      bigger.set(old);
      return bigger;
    };
    this.#ids = grown(new Uint32Array(this.#length * 2), this.#ids);
    this.#sizes = grown(new Uint32Array(this.#length * 2), this.#sizes);
    this.#offsets = grown(new Float64Array(this.#length * 2), this.#offsets);
  }
}
