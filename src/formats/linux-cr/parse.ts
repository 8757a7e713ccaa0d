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
import { layoutOf, type RecordKind, type RecordValue } from "./record-kind.js";
import { EXTENSION_VERSION } from "./records/extensions.js";
import { RECORDS } from "./records.js";
import { type Commit, isSince, type ObjectType, objectTypes } from "./revisions.js";

/** A list of saved pages: one BUFFER of addresses and contents. */
export interface PageArray {
  /** Index of the BUFFER. */
  readonly record: number;
  readonly pages: number;
}

/** A part of an image: its own records in order, the parts that repeat in it, and for an object its number. */
export interface Part {
  readonly rule: RuleName;
  readonly records: readonly number[];
  readonly parts: readonly Part[];
  readonly pageArrays: readonly PageArray[];
  readonly objref: number | undefined;
  /** Records of this object at the end of the descriptor table: watched descriptors, queues. */
  readonly deferred: Part | undefined;
}

/** An image tied together: the head, the tasks in order, and the objects that they share. */
export interface Tree {
  readonly head: Part | undefined;
  readonly tasks: readonly Part[];
  readonly objects: ReadonlyMap<number, Part>;
  /** Records of ids that the header set does not know, which were stepped over. */
  readonly unknown: readonly number[];
  /** Why the image was not read to its end; what was read until then is there. */
  readonly problem: FormatError | undefined;
  /** The parts that were being read there, the outermost first: their records and parts are not all there. */
  readonly unfinished: readonly Part[];
}

interface OpenPart extends Part {
  readonly records: number[];
  readonly parts: OpenPart[];
  readonly pageArrays: PageArray[];
  deferred: OpenPart | undefined;
}

/**
 * Ties the records of an image together by the grammar. It reads as far as it can: the problem says with record and
 * offset where it stopped, also for a failed checkpoint, whose ERROR text it gives.
 */
export function parseImage(image: LinuxCrImage): Tree {
  return new Parse(image).run();
}

class Parse implements Context {
  readonly family;
  #at = 0;
  readonly #open: OpenPart[] = [];
  #part: OpenPart = openPart("head");
  readonly #image: LinuxCrImage;
  readonly #tasks: OpenPart[] = [];
  readonly #objects = new Map<number, OpenPart>();
  readonly #unknown: number[] = [];
  readonly #seen = {
    pipe: new Set<number>(),
    signal: new Set<number>(),
    memfd: new Set<number>(),
  };
  readonly #waiting: Record<"epoll" | "queues", OpenPart[]> = { epoll: [], queues: [] };
  readonly #types: readonly ObjectType[];

  constructor(image: LinuxCrImage) {
    this.#image = image;
    this.family = image.dialect.arch.family;
    this.#types = objectTypes(image.dialect.commit);
  }

  run(): Tree {
    let head: OpenPart | undefined;
    let problem: FormatError | undefined;
    try {
      head = this.#rule("head");
      const tree = head.records.find((index) => this.#image.kind(index) === RECORDS.TREE) as number;
      const { nr_tasks: count } = this.#image.value(tree, RECORDS.TREE);
      for (let i = 0; i < count; i++) this.#tasks.push(this.#rule("task"));
      this.#rule("tail");
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problem = error;
    }
    return {
      ...{ head, tasks: this.#tasks, objects: this.#objects },
      ...{ unknown: this.#unknown, problem, unfinished: this.#open },
    };
  }

  fields<K extends RecordKind>(kind: K): RecordValue<K> {
    const index = this.#part.records.findLast((record) => this.#image.kind(record) === kind);
    return this.#image.value(index ?? this.#at, kind);
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
    this.#waiting[what].push(this.#part);
  }

  undefer(what: "epoll" | "queues"): void {
    const owner = this.#waiting[what].shift();
    if (owner === undefined)
      throw this.#image.error(this.#at, `no file is left that ${what} could belong to`);
    owner.deferred = this.#part;
  }

  #rule(name: RuleName, objref?: number): OpenPart {
    const outer = this.#part;
    const part = openPart(name, objref);
    if (objref !== undefined) this.#objects.set(objref, part);
    this.#part = part;
    if (this.#open.push(part) > MAX_MESSAGE_DEPTH)
      throw this.#image.error(
        this.#at,
        `objects stand inside one another more than ${MAX_MESSAGE_DEPTH} deep`,
      );
    this.#steps(RULES[name]);
    this.#open.pop();
    this.#part = outer;
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
      while (step.whileNext.some((kind) => this.isNext(kind))) this.#part.parts.push(this.#rule(step.repeat));
      return;
    }
    const times = step.times(this);
    for (let i = 0; i < times; i++) this.#part.parts.push(this.#rule(step.repeat));
  }

  #anyOrder(options: readonly (readonly Step[])[]): void {
    for (;;) {
      const steps = options.find(([first]) => this.isNext(first as RecordKind));
      if (steps === undefined) return;
      this.#steps(steps);
    }
  }

  /** Takes one record of this kind, after the objects that stand before it. */
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
    this.#part.records.push(index);
    // A record too short for its fields is found here, with its place.
    const { oldest_reader: oldest } = this.#image.fields(index);
    if (kind === RECORDS.EXTENSIONS && (oldest as number) > EXTENSION_VERSION)
      throw this.#image.error(
        index,
        `extension records that a reader of version ${oldest} is needed for, this one is of version ${EXTENSION_VERSION}`,
      );
    return index;
  }

  #object(): void {
    const index = this.#at++;
    const { objtype, objref } = this.#image.value(index, RECORDS.OBJREF);
    const type = this.#types[objtype];
    if (objref <= 0) throw this.#image.error(index, `an object has the number ${objref}`);
    if (this.#objects.has(objref))
      throw this.#image.error(index, `object ${objref} stands in the image twice`);
    if (type === undefined || !isRecorded(type))
      throw this.#image.error(index, `object ${objref} is of type ${objtype}, which has no records`);
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
          `${this.#image.payload(record).size} bytes are no ${count} pages with addresses`,
        );
      this.#part.pageArrays.push({ record, pages });
    }
  }

  #atEnd(kind: RecordKind): FormatError {
    const { error } = this.#image.ending;
    return error ?? this.#image.error(this.#at, `${kind.name} was expected`);
  }

  /** ERROR says that the checkpoint failed; its text follows, before v19 it stands in the record itself. */
  #failed(): FormatError {
    const text = errorText(this.#image, this.#at);
    return new FormatError("INVALID", `the checkpoint failed: ${text}`, this.#image.place(this.#at));
  }
}

/** The message of an ERROR record: it begins with a NUL, and another one ends it. */
export function errorText(image: LinuxCrImage, index: number): string {
  const next = index + 1;
  const carrier = image.payload(index).size === 0 && image.kind(next) === RECORDS.STRING ? next : index;
  const bytes = image.bytes(carrier);
  const text = bytes.subarray(bytes[0] === 0 ? 1 : 0);
  const end = text.indexOf(0);
  return text.subarray(0, end === -1 ? text.length : end).toString("utf8");
}

function openPart(rule: RuleName, objref?: number): OpenPart {
  return { rule, records: [], parts: [], pageArrays: [], objref, deferred: undefined };
}

const RECORDED: ReadonlySet<string> = new Set(RECORDED_OBJECTS);

function isRecorded(type: ObjectType): type is RecordedObject {
  return RECORDED.has(type);
}
