interface Waiting<T> {
  readonly at: number;
  readonly item: T;
  next: Waiting<T> | undefined;
  /** For the first item of a queue: its last. */
  last: Waiting<T>;
}

/** A queue for each key. Every operation is O(1). */
export class Queues<T> {
  readonly #first = new Map<string, Waiting<T>>();
  #added = 0;

  /** Appends the item to its queue. */
  add(key: string, item: T, at = this.#added): void {
    this.#added = at + 1;
    const waiting = { at, item, next: undefined } as unknown as Waiting<T>;
    waiting.last = waiting;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, waiting);
    else {
      first.last.next = waiting;
      first.last = waiting;
    }
  }

  /** Removes the first item. */
  take(key: string): T | undefined {
    return this.takeWaiting(key)?.item;
  }

  /** Like `take`, with the index at which the item was added. */
  takeWaiting(key: string): { readonly at: number; readonly item: T } | undefined {
    const first = this.#first.get(key);
    if (first?.next === undefined) this.#first.delete(key);
    else {
      first.next.last = first.last;
      this.#first.set(key, first.next);
    }
    return first;
  }

  /** The remaining items, in insertion order. */
  rest(): T[] {
    const all: { readonly at: number; readonly item: T }[] = [];
    for (const first of this.#first.values())
      for (let each: Waiting<T> | undefined = first; each !== undefined; each = each.next) all.push(each);
    return all.sort((a, b) => a.at - b.at).map(({ item }) => item);
  }
}

/** A pair; `at` is its index on the left. */
export interface Pair<T> {
  readonly at: number;
  readonly left: T;
  readonly right: T;
}

/** Unpaired items, in order. */
export interface Unpaired<T> {
  readonly left: readonly T[];
  readonly right: readonly T[];
}

/**
 * Pairs the n-th item of a key on the left with the n-th of that key on the right. Both sides are iterated in parallel, so
 * that little is held at once if their order is similar; a pair is reported when the later of the two is reached.
 */
export function* pairs<T>(
  left: Iterable<T>,
  right: Iterable<T>,
  keyOf: (item: T) => string,
): Generator<Pair<T>, Unpaired<T>> {
  const waiting = { left: new Queues<T>(), right: new Queues<T>() };
  const [lefts, rights] = [left[Symbol.iterator](), right[Symbol.iterator]()];
  for (let at = 0; ; at++) {
    const [old, fresh] = [lefts.next(), rights.next()];
    if (old.done === true && fresh.done === true) break;
    if (old.done !== true) {
      const key = keyOf(old.value);
      const partner = waiting.right.take(key);
      if (partner === undefined) waiting.left.add(key, old.value, at);
      else yield { at, left: old.value, right: partner };
    }
    if (fresh.done !== true) {
      const key = keyOf(fresh.value);
      const partner = waiting.left.takeWaiting(key);
      if (partner === undefined) waiting.right.add(key, fresh.value, at);
      else yield { at: partner.at, left: partner.item, right: fresh.value };
    }
  }
  return { left: waiting.left.rest(), right: waiting.right.rest() };
}
