/** Records per chunk, and between two stored offsets; powers of 2. */
const CHUNK = 1 << 16;
const STRIDE = 16;

interface Chunk {
  ids: Uint16Array | Uint32Array;
  readonly sizes: Uint32Array;
  /** Of every STRIDE-th record. */
  readonly offsets: Float64Array;
}

/** Offsets of the records of an image: about 7 bytes per record, so that millions fit in memory. */
export class RecordIndex {
  readonly #chunks: Chunk[] = [];
  readonly #rawPages = new Map<number, number>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `size` is the record's len: its header and contents, in bytes. Records are contiguous. */
  push(id: number, offset: number, size: number): void {
    const at = this.#length % CHUNK;
    if (at === 0)
      this.#chunks.push({
        ids: new Uint16Array(CHUNK),
        sizes: new Uint32Array(CHUNK),
        offsets: new Float64Array(CHUNK / STRIDE),
      });
    const chunk = this.#chunks[this.#chunks.length - 1] as Chunk;
    if (id > 0xffff && chunk.ids instanceof Uint16Array) chunk.ids = Uint32Array.from(chunk.ids);
    chunk.ids[at] = id;
    chunk.sizes[at] = size;
    if (at % STRIDE === 0) chunk.offsets[at / STRIDE] = offset;
    this.#length++;
  }

  /** Bytes without a record header after the last record. */
  pushRawPage(size: number): void {
    this.#rawPages.set(this.#length - 1, size);
  }

  id(index: number): number | undefined {
    return index >= 0 && index < this.#length ? this.#chunk(index).ids[index % CHUNK] : undefined;
  }

  offset(index: number): number {
    const { sizes, offsets } = this.#chunk(index);
    const at = index % CHUNK;
    const first = at - (at % STRIDE);
    let offset = offsets[first / STRIDE] as number;
    for (let i = first; i < at; i++) offset += sizes[i] as number;
    if (this.#rawPages.size > 0)
      for (let i = index - (at - first); i < index; i++) offset += this.#rawPages.get(i) ?? 0;
    return offset;
  }

  size(index: number): number {
    return this.#chunk(index).sizes[index % CHUNK] as number;
  }

  /** Size of the page without a header after a record; undefined if there is none. */
  rawPage(index: number): number | undefined {
    return this.#rawPages.get(index);
  }

  #chunk(index: number): Chunk {
    return this.#chunks[Math.floor(index / CHUNK)] as Chunk;
  }
}
