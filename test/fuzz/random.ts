import { randomBy } from "../helpers/kills.js";

/** Choices that are the same for the same seed, whatever machine and order they are made on. */
export class Random {
  readonly #next: () => number;

  constructor(readonly seed: string) {
    let hash = 0x811c9dc5;
    for (const byte of Buffer.from(seed)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    this.#next = randomBy(hash);
  }

  /** From 0 up to `end`, which is left out. */
  below(end: number): number {
    return Math.floor(this.#next() * end);
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error(`nothing to pick from (seed ${this.seed})`);
    return list[this.below(list.length)] as T;
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)));
  }
}
