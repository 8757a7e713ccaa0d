import { RULES, type RuleName } from "./grammar.js";
import { NumberColumn } from "./number-column.js";
import type { PageArray, Part } from "./part.js";

const NAMES = Object.keys(RULES) as readonly RuleName[];
const NUMBERS: ReadonlyMap<RuleName, number> = new Map(NAMES.map((name, i) => [name, i]));
const NONE: readonly never[] = [];

/** Marks a part that is not closed yet, and has no position in the lists of records and parts. */
const OPEN = 0xffff_ffff;

/**
 * The parts of an image as columns of numbers, about 25 bytes per part, so that half a million open files fit in memory.
 * A part is opened, gets its records and parts one by one, and is closed before the enclosing one continues.
 */
export class PartStore {
  readonly #rules = new NumberColumn();
  readonly #objrefs = new NumberColumn();
  /** Start of the records of a part in `#records` and of its parts in `#parts`, and their numbers. */
  readonly #recordStarts = new NumberColumn();
  readonly #recordCounts = new NumberColumn();
  readonly #partStarts = new NumberColumn();
  readonly #partCounts = new NumberColumn();
  readonly #records = new NumberColumn();
  readonly #parts = new NumberColumn();
  readonly #pageArrays = new Map<number, PageArray[]>();
  readonly #deferred = new Map<number, number>();
  /** Records of open parts, innermost last. */
  readonly #openRecords = new NumberColumn();
  readonly #openParts = new NumberColumn();
  readonly #stack: { readonly id: number; readonly records: number; readonly parts: number }[] = [];
  /** Objects of open parts, which must be identical at every access. */
  readonly #kept = new Map<number, Part>();

  /** Numbers of the open parts, outermost first. */
  get open(): readonly number[] {
    return this.#stack.map(({ id }) => id);
  }

  get depth(): number {
    return this.#stack.length;
  }

  /** The innermost open part. */
  get current(): number {
    return this.#stack.at(-1)?.id ?? OPEN;
  }

  get length(): number {
    return this.#rules.length;
  }

  openPart(rule: RuleName, objref = 0): number {
    const id = this.#rules.length;
    this.#rules.push(NUMBERS.get(rule) as number);
    this.#objrefs.push(objref);
    for (const column of [this.#recordStarts, this.#recordCounts, this.#partStarts, this.#partCounts])
      column.push(0);
    this.#stack.push({ id, records: this.#openRecords.length, parts: this.#openParts.length });
    return id;
  }

  addRecord(index: number): void {
    this.#openRecords.push(index);
  }

  addPageArray(pages: PageArray): void {
    const list = this.#pageArrays.get(this.current);
    if (list === undefined) this.#pageArrays.set(this.current, [pages]);
    else list.push(pages);
  }

  /** Closes the innermost open part; with `isRepeated` it is added to the parts of the enclosing one. */
  close(isRepeated: boolean): void {
    const open = this.#stack.pop();
    if (open === undefined) return;
    const { id, records, parts } = open;
    this.#recordStarts.set(id, this.#records.length);
    this.#recordCounts.set(id, this.#openRecords.length - records);
    this.#records.take(this.#openRecords, records);
    this.#partStarts.set(id, this.#parts.length);
    this.#partCounts.set(id, this.#openParts.length - parts);
    this.#parts.take(this.#openParts, parts);
    if (isRepeated) this.#openParts.push(id);
  }

  /** Closes all open parts as they are; returns them, outermost first. */
  abandon(): Part[] {
    const { open } = this;
    for (const id of open) this.#kept.set(id, new StoredPart(this, id));
    while (this.#stack.length > 0) this.close(false);
    return open.map((id) => this.part(id));
  }

  defer(owner: number, part: number): void {
    this.#deferred.set(owner, part);
  }

  /** The last record of the innermost open part for which the test holds. */
  lastRecord(test: (index: number) => boolean): number | undefined {
    const start = this.#stack.at(-1)?.records ?? 0;
    for (let i = this.#openRecords.length - 1; i >= start; i--) {
      const index = this.#openRecords.at(i);
      if (test(index)) return index;
    }
    return undefined;
  }

  part(id: number): Part {
    return this.#kept.get(id) ?? new StoredPart(this, id);
  }

  rule(id: number): RuleName {
    return NAMES[this.#rules.at(id)] as RuleName;
  }

  /** 0 for a part that is not an object. */
  objref(id: number): number {
    return this.#objrefs.at(id);
  }

  records(id: number): number[] {
    const start = this.#recordStarts.at(id);
    return this.#records.slice(start, start + this.#recordCounts.at(id));
  }

  parts(id: number): readonly Part[] {
    const count = this.#partCounts.at(id);
    const start = this.#partStarts.at(id);
    return count === 0 ? NONE : this.#parts.slice(start, start + count).map((part) => this.part(part));
  }

  pageArrays(id: number): readonly PageArray[] {
    return this.#pageArrays.get(id) ?? NONE;
  }

  deferred(id: number): Part | undefined {
    const part = this.#deferred.get(id);
    return part === undefined ? undefined : this.part(part);
  }
}

/** A view of one part, which holds no data. */
class StoredPart implements Part {
  readonly #store: PartStore;
  readonly #id: number;

  constructor(store: PartStore, id: number) {
    this.#store = store;
    this.#id = id;
  }

  get rule(): RuleName {
    return this.#store.rule(this.#id);
  }

  get records(): readonly number[] {
    return this.#store.records(this.#id);
  }

  get parts(): readonly Part[] {
    return this.#store.parts(this.#id);
  }

  get pageArrays(): readonly PageArray[] {
    return this.#store.pageArrays(this.#id);
  }

  get objref(): number | undefined {
    return this.#store.objref(this.#id) || undefined;
  }

  get deferred(): Part | undefined {
    return this.#store.deferred(this.#id);
  }
}
