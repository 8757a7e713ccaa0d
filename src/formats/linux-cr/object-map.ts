import type { Part } from "./part.js";
import type { PartStore } from "./part-store.js";

/** The objects of an image by objref, in stream order. */
export class ObjectMap implements ReadonlyMap<number, Part> {
  /** Part number plus one by objref, 0 for none; for small objrefs, which are nearly all. */
  #dense = new Uint32Array(1024);
  readonly #others = new Map<number, number>();
  #size = 0;

  /** `records`: number of records, an upper bound of the objrefs that the kernel assigns from 1 on. */
  constructor(
    private readonly store: PartStore,
    private readonly records: number,
  ) {}

  get size(): number {
    return this.#size;
  }

  has(objref: number): boolean {
    return this.#find(objref) !== undefined;
  }

  get(objref: number): Part | undefined {
    const id = this.#find(objref);
    return id === undefined ? undefined : this.store.part(id);
  }

  add(objref: number, part: number): void {
    if (objref >= this.#dense.length && objref < this.records) {
      const bigger = new Uint32Array(Math.max(objref + 1, Math.min(this.records, this.#dense.length * 2)));
      bigger.set(this.#dense);
      this.#dense = bigger;
    }
    if (objref < this.#dense.length) this.#dense[objref] = part + 1;
    else this.#others.set(objref, part);
    this.#size++;
  }

  *entries(): MapIterator<[number, Part]> {
    for (const objref of this.keys()) yield [objref, this.get(objref) as Part];
    return undefined;
  }

  *keys(): MapIterator<number> {
    for (let id = 0; id < this.store.length; id++) {
      const objref = this.store.objref(id);
      if (objref !== 0) yield objref;
    }
    return undefined;
  }

  *values(): MapIterator<Part> {
    for (let id = 0; id < this.store.length; id++) if (this.store.objref(id) !== 0) yield this.store.part(id);
    return undefined;
  }

  [Symbol.iterator](): MapIterator<[number, Part]> {
    return this.entries();
  }

  forEach(visit: (part: Part, objref: number, all: ReadonlyMap<number, Part>) => void): void {
    for (const [objref, part] of this) visit(part, objref, this);
  }

  #find(objref: number): number | undefined {
    const dense = this.#dense[objref];
    if (dense !== undefined) return dense === 0 ? undefined : dense - 1;
    return this.#others.get(objref);
  }
}
