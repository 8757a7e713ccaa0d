import { MAX_LOSSES } from "../io/limits.js";

/** Something that the other family has no place for. */
export interface Loss {
  /** What has it: "task 4711 fd 5", "mount namespace 10". */
  readonly object: string;
  /** What is lost: "its position in the receive queue". */
  readonly what: string;
  /** Why it cannot be expressed. */
  readonly why: string;
}

/** Gathers losses while a conversion is planned; the same one is told once. Of many only so many are told, and the count. */
export class Losses {
  readonly #all = new Map<string, Loss>();
  #untold = 0;

  add(object: string, what: string, why: string): void {
    const key = `${object}\0${what}`;
    if (this.#all.size >= MAX_LOSSES && !this.#all.has(key)) this.#untold++;
    else this.#all.set(key, { object, what, why });
  }

  /** In the order in which they were met. */
  list(): readonly Loss[] {
    const told = [...this.#all.values()];
    if (this.#untold === 0) return told;
    const rest = {
      object: "the image",
      what: `${this.#untold} more losses`,
      why: `${MAX_LOSSES} are listed`,
    };
    return [...told, rest];
  }
}
