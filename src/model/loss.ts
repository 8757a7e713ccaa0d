/** Something that the other family has no place for. */
export interface Loss {
  /** What has it: "task 4711 fd 5", "mount namespace 10". */
  readonly object: string;
  /** What is lost: "its position in the receive queue". */
  readonly what: string;
  /** Why it cannot be expressed. */
  readonly why: string;
}

/** Gathers losses while a conversion is planned; the same one is told once. */
export class Losses {
  readonly #all = new Map<string, Loss>();

  add(object: string, what: string, why: string): void {
    this.#all.set(`${object}\0${what}`, { object, what, why });
  }

  /** In the order in which they were met. */
  list(): readonly Loss[] {
    return [...this.#all.values()];
  }
}
