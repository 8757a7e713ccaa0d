import { MAX_DECODED_BYTES } from "./limits.js";

interface Made<V> {
  readonly value: V;
  bytes: number;
}

/**
 * What was made of an image for the objects that were looked at last. Of most images that is all there is; of larger
 * ones what was not looked at for a while is made again, so that memory does not grow with the image.
 */
export class Recent<K extends object, V> {
  // When the fresh ones have half of the bytes they take the place of the stale ones, which are forgotten.
  #fresh = new Map<K, Made<V>>();
  #stale: ReadonlyMap<K, Made<V>> = new Map();
  #freshBytes = 0;

  /** `bytesOf` tells what it costs to make a value; without it `weigh` is told. */
  constructor(
    private readonly make: (key: K) => V,
    private readonly bytesOf: (key: K) => number = () => 0,
    private readonly most = MAX_DECODED_BYTES,
  ) {}

  of(key: K): V {
    const fresh = this.#fresh.get(key);
    if (fresh !== undefined) return fresh.value;
    const made = this.#stale.get(key) ?? { value: this.make(key), bytes: this.bytesOf(key) };
    this.#fresh.set(key, made);
    this.#count(key, made, made.bytes);
    return made.value;
  }

  /** Says that so many bytes of the image were decoded for the object, which `of` was asked for. */
  weigh(key: K, bytes: number): void {
    const made = this.#fresh.get(key) ?? this.#stale.get(key);
    if (made === undefined) return;
    made.bytes += bytes;
    this.#count(key, made, bytes);
  }

  #count(key: K, made: Made<V>, bytes: number): void {
    this.#freshBytes += bytes;
    if (this.#freshBytes <= this.most / 2) return;
    this.#stale = this.#fresh;
    this.#fresh = new Map([[key, made]]);
    this.#freshBytes = 0;
  }
}
