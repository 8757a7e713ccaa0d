/** Words of the model for the numbers of one format, in both directions. A number without a word stands for itself. */
export class NumberNames<Name extends string> {
  readonly #names: ReadonlyMap<number, Name>;
  readonly #numbers: ReadonlyMap<Name, number>;

  constructor(pairs: readonly (readonly [number, Name])[]) {
    this.#names = new Map(pairs);
    this.#numbers = new Map(pairs.map(([number, name]) => [name, number]));
  }

  /** Every word that the format has a number for. */
  get names(): readonly Name[] {
    return [...this.#numbers.keys()];
  }

  nameOf(stored: number): Name | number {
    return this.#names.get(stored) ?? stored;
  }

  /** Undefined for a word that the format has no number for. */
  numberOf(named: Name | number): number | undefined {
    return typeof named === "number" ? named : this.#numbers.get(named);
  }
}
