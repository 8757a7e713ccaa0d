interface Waiting<T> {
  readonly at: number;
  readonly item: T;
  next: Waiting<T> | undefined;
  /** Of the first of a queue: its last. */
  last: Waiting<T>;
}

/** A queue for each key. Every operation takes the same time however long a queue is. */
export class Queues<T> {
  readonly #first = new Map<string, Waiting<T>>();
  #added = 0;

  /** Puts the item at the end of its queue. */
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

  /** Takes the item that waits longest. */
  take(key: string): T | undefined {
    return this.takeWaiting(key)?.item;
  }

  /** Like `take`, with the number under which the item was added. */
  takeWaiting(key: string): { readonly at: number; readonly item: T } | undefined {
    const first = this.#first.get(key);
    if (first?.next === undefined) this.#first.delete(key);
    else {
      first.next.last = first.last;
      this.#first.set(key, first.next);
    }
    return first;
  }

  /** What nobody took, in the order in which it was added. */
  rest(): T[] {
    const all: { readonly at: number; readonly item: T }[] = [];
    for (const first of this.#first.values())
      for (let each: Waiting<T> | undefined = first; each !== undefined; each = each.next) all.push(each);
    return all.sort((a, b) => a.at - b.at).map(({ item }) => item);
  }
}

/** What stands on both sides; `at` is its number on the left. */
export interface Pair<T> {
  readonly at: number;
  readonly left: T;
  readonly right: T;
}

/** What has no partner, in its order. */
export interface Unpaired<T> {
  readonly left: readonly T[];
  readonly right: readonly T[];
}

/**
 * Pairs the n-th thing of a key on the left with the n-th of that key on the right. Both sides are walked in step, so
 * that of sides in about the same order little is held at once; a pair is told when the later of the two is met.
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
