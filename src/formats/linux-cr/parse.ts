import { FormatError } from "../../io/errors.js";
import { MAX_MESSAGE_DEPTH } from "../../io/limits.js";
import {
  type Context,
  RECORDED_OBJECTS,
  type RecordedObject,
  RULES,
  type RuleName,
  type Step,
} from "./grammar.js";
import type { LinuxCrImage } from "./image.js";
import { NumberColumn } from "./number-column.js";
import { ObjectMap } from "./object-map.js";
import type { Part } from "./part.js";
import { PartStore } from "./part-store.js";
import { layoutOf, type RecordKind, type RecordValue } from "./record-kind.js";
import { EXTENSION_VERSION } from "./records/extensions.js";
import { RECORDS } from "./records.js";
import { type Commit, isSince, type ObjectType, objectTypes } from "./revisions.js";

export type { PageArray, Part } from "./part.js";

/** A parsed image: the head, the tasks in order, and their shared objects. */
export interface Tree {
  readonly head: Part | undefined;
  readonly tasks: readonly Part[];
  readonly objects: ReadonlyMap<number, Part>;
  /** Skipped records of unknown ids. */
  readonly unknown: readonly number[];
  /** Why the image was not parsed to its end; the parts before are valid. */
  readonly problem: FormatError | undefined;
  /** The incomplete parts at that point, outermost first. */
  readonly unfinished: readonly Part[];
}

/**
 * Parses the records of an image by the grammar, as far as possible: the problem has the record and offset where it
 * stopped, and for a failed checkpoint the text of its ERROR record.
 */
export function parseImage(image: LinuxCrImage): Tree {
  return new Parse(image).run();
}

class Parse implements Context {
  readonly family;
  #at = 0;
  readonly #image: LinuxCrImage;
  readonly #store = new PartStore();
  readonly #tasks: Part[] = [];
  readonly #objects: ObjectMap;
  readonly #unknown: number[] = [];
  readonly #seen = {
    pipe: new Set<number>(),
    signal: new Set<number>(),
    memfd: new Set<number>(),
  };
  readonly #waiting = { epoll: new NumberColumn(), queues: new NumberColumn() };
  readonly #served = { epoll: 0, queues: 0 };
  readonly #types: readonly ObjectType[];
  /** The last record whose fields were read, since several conditions need the same. */
  #last: { readonly index: number; readonly value: unknown } | undefined;

  constructor(image: LinuxCrImage) {
    this.#image = image;
    this.#objects = new ObjectMap(this.#store, image.length);
    this.family = image.dialect.arch.family;
    this.#types = objectTypes(image.dialect.commit);
  }

  run(): Tree {
    let head: Part | undefined;
    let problem: FormatError | undefined;
    try {
      head = this.#store.part(this.#rule("head"));
      const tree = head.records.find((index) => this.#image.kind(index) === RECORDS.TREE) as number;
      const { nr_tasks: count } = this.#image.value(tree, RECORDS.TREE);
      for (let i = 0; i < count; i++) this.#tasks.push(this.#store.part(this.#rule("task")));
      this.#rule("tail");
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problem = error;
    }
    return {
      ...{ head, tasks: this.#tasks, objects: this.#objects },
      ...{ unknown: this.#unknown, problem, unfinished: this.#store.abandon() },
    };
  }

  fields<K extends RecordKind>(kind: K): RecordValue<K> {
    const index = this.#store.lastRecord((record) => this.#image.kind(record) === kind) ?? this.#at;
    if (this.#last?.index !== index) this.#last = { index, value: this.#image.value(index, kind) };
    return this.#last.value as RecordValue<K>;
  }

  isNext(kind: RecordKind): boolean {
    let at = this.#at;
    while (at < this.#image.length && this.#image.kind(at) === undefined) at++;
    return this.#image.kind(at) === kind;
  }

  isNew(role: "pipe" | "signal" | "memfd", objref: number): boolean {
    if (this.#seen[role].has(objref)) return false;
    this.#seen[role].add(objref);
    return true;
  }

  since(commit: Commit): boolean {
    return isSince(this.#image.dialect.commit, commit);
  }

  has(kind: RecordKind): boolean {
    return layoutOf(kind, this.#image.dialect, 0) !== undefined;
  }

  defer(what: "epoll" | "queues"): void {
    this.#waiting[what].push(this.#store.current);
  }

  undefer(what: "epoll" | "queues"): void {
    const waiting = this.#waiting[what];
    const next = this.#served[what]++;
    if (next >= waiting.length) throw this.#image.error(this.#at, `${what} without a file`);
    this.#store.defer(waiting.at(next), this.#store.current);
  }

  #rule(name: RuleName, objref?: number, isRepeated = false): number {
    const part = this.#store.openPart(name, objref);
    if (objref !== undefined) this.#objects.add(objref, part);
    if (this.#store.depth > MAX_MESSAGE_DEPTH)
      throw this.#image.error(
        this.#at,
        `objects are nested too deep (expected at most ${MAX_MESSAGE_DEPTH} levels)`,
      );
    this.#steps(RULES[name]);
    this.#store.close(isRepeated);
    return part;
  }

  #steps(steps: readonly Step[]): void {
    for (const step of steps) {
      if ("ids" in step) this.#record(step);
      else if ("when" in step) this.#steps(step.when(this) ? step.steps : []);
      else if ("either" in step) this.#steps(step.either(this) ? step.steps : step.orElse);
      else if ("act" in step) step.act(this);
      else if ("pages" in step) this.#pages();
      else if ("anyOrder" in step) this.#anyOrder(step.anyOrder);
      else this.#repeat(step);
    }
  }

  #repeat(step: Extract<Step, { repeat: RuleName }>): void {
    if ("whileNext" in step) {
      while (step.whileNext.some((kind) => this.isNext(kind))) this.#rule(step.repeat, undefined, true);
      return;
    }
    const times = step.times(this);
    for (let i = 0; i < times; i++) this.#rule(step.repeat, undefined, true);
  }

  #anyOrder(options: readonly (readonly Step[])[]): void {
    for (;;) {
      const steps = options.find(([first]) => this.isNext(first as RecordKind));
      if (steps === undefined) return;
      this.#steps(steps);
    }
  }

  /** Reads one record of this kind, after the objects before it. */
  #record(kind: RecordKind): number {
    for (;;) {
      const found = this.#image.kind(this.#at);
      if (this.#at >= this.#image.length) throw this.#atEnd(kind);
      if (found === kind) break;
      if (found === undefined) this.#unknown.push(this.#at++);
      else if (found === RECORDS.OBJREF) this.#object();
      else if (found === RECORDS.ERROR) throw this.#failed();
      else throw this.#image.error(this.#at, `${kind.name} was expected`);
    }
    const index = this.#at++;
    this.#store.addRecord(index);
    this.#image.checkSize(index);
    if (kind === RECORDS.EXTENSIONS) this.#checkVersion(index);
    return index;
  }

  #checkVersion(index: number): void {
    const { oldest_reader: oldest } = this.#image.value(index, RECORDS.EXTENSIONS);
    if (oldest > EXTENSION_VERSION)
      throw this.#image.error(
        index,
        `extension records need a reader of version ${oldest} (this one has version ${EXTENSION_VERSION})`,
      );
  }

  #object(): void {
    const index = this.#at++;
    this.#image.checkSize(index);
    const objtype = this.#image.u32(index, OBJREF.objtype.offset);
    const objref = this.#image.u32(index, OBJREF.objref.offset) | 0;
    const type = this.#types[objtype];
    if (objref <= 0) throw this.#image.error(index, `invalid objref ${objref} (expected above 0)`);
    if (this.#objects.has(objref)) throw this.#image.error(index, `duplicate objref ${objref}`);
    if (type === undefined || !isRecorded(type))
      throw this.#image.error(index, `invalid type ${objtype} of object ${objref} (it has no records)`);
    this.#rule(type, objref);
  }

  #pages(): void {
    const { wordBytes } = this.#image.dialect.arch;
    for (;;) {
      const { nr_pages: count } = this.#image.value(this.#record(RECORDS.PGARR), RECORDS.PGARR);
      if (count === 0n) return;
      const record = this.#record(RECORDS.BUFFER);
      const pages = Number(count);
      const each = this.#image.payload(record).size / pages - wordBytes;
      if (!Number.isInteger(each) || each <= 0)
        throw this.#image.error(
          record,
          `invalid size of ${count} pages with addresses: ${this.#image.payload(record).size} bytes`,
        );
      this.#store.addPageArray({ record, pages });
    }
  }

  #atEnd(kind: RecordKind): FormatError {
    const { error } = this.#image.ending;
    return error ?? this.#image.error(this.#at, `${kind.name} was expected`);
  }

  /** ERROR marks a failed checkpoint; its text follows, before v19 it is in the record itself. */
  #failed(): FormatError {
    const text = errorText(this.#image, this.#at);
    return new FormatError("INVALID", `the checkpoint failed: ${text}`, this.#image.place(this.#at));
  }
}

/** The message of an ERROR record, between two NULs. */
export function errorText(image: LinuxCrImage, index: number): string {
  const next = index + 1;
  const carrier = image.payload(index).size === 0 && image.kind(next) === RECORDS.STRING ? next : index;
  const bytes = image.bytes(carrier);
  const text = bytes.subarray(bytes[0] === 0 ? 1 : 0);
  const end = text.indexOf(0);
  return text.subarray(0, end === -1 ? text.length : end).toString("utf8");
}

const OBJREF = RECORDS.OBJREF.layouts[0].table.fields;
const RECORDED: ReadonlySet<string> = new Set(RECORDED_OBJECTS);

function isRecorded(type: ObjectType): type is RecordedObject {
  return RECORDED.has(type);
}
