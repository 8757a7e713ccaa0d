import path from "node:path";
import type { RecordedObject } from "../../formats/linux-cr/grammar.js";
import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import { type Part, parseImage, type Tree } from "../../formats/linux-cr/parse.js";
import type { RecordKind, RecordValue } from "../../formats/linux-cr/record-kind.js";
import { lazy } from "../lazy.js";
import type { Origin } from "../origin.js";

/** A record of a part: where it stands and what it says. */
export interface Found<K extends RecordKind = RecordKind> {
  readonly index: number;
  readonly value: RecordValue<K>;
}

const readers = new WeakMap<LinuxCrImage, StreamReader>();

/** Looks records and objects of a stream up for the model. */
export class StreamReader {
  readonly #tree: () => Tree;
  readonly #tasks = lazy(() => new Map(this.tree.tasks.map((part) => [part.records[0] ?? -1, part])));
  readonly #imageName: string;

  /** A salvaging one gives the part of a damaged image that could be read. */
  constructor(
    readonly image: LinuxCrImage,
    readonly isSalvaging = false,
    tree = () => (isSalvaging ? withoutUnfinished(parseImage(image)) : parseImage(image)),
  ) {
    this.#tree = lazy(tree);
    this.#imageName = path.basename(image.name);
  }

  /** The one reader of an image that is not salvaged. */
  static of(image: LinuxCrImage): StreamReader {
    let reader = readers.get(image);
    if (reader === undefined) {
      reader = new StreamReader(image);
      readers.set(image, reader);
    }
    return reader;
  }

  /** A reader of the same records as edits leave them. */
  over(image: LinuxCrImage): StreamReader {
    return new StreamReader(image, this.isSalvaging, this.#tree);
  }

  /** Errors: FormatError with the record where an image is damaged, cut off, or a checkpoint that failed. */
  get tree(): Tree {
    const tree = this.#tree();
    if (tree.problem !== undefined && !this.isSalvaging) throw tree.problem;
    return tree;
  }

  /** The record of a kind in a part, the first unless `nth` says otherwise. */
  index(part: Part, kind: RecordKind, nth = 0): number | undefined {
    const isOfKind = (record: number): boolean => this.image.kind(record) === kind;
    return nth === 0 ? part.records.find(isOfKind) : part.records.filter(isOfKind).at(nth);
  }

  find<K extends RecordKind>(part: Part, kind: K, nth = 0): Found<K> | undefined {
    const index = this.index(part, kind, nth);
    return index === undefined ? undefined : { index, value: this.image.value(index, kind) };
  }

  /** As `find`, for records that the grammar has made sure of. */
  get<K extends RecordKind>(part: Part, kind: K): Found<K> {
    const found = this.find(part, kind);
    if (found === undefined)
      throw this.image.error(part.records[0] ?? 0, `${kind.name} was expected beside it`);
    return found;
  }

  text(part: Part, kind: RecordKind, nth = 0): string | undefined {
    const index = this.index(part, kind, nth);
    return index === undefined ? undefined : this.image.text(index);
  }

  /** The object of a number; undefined for 0, for a hidden number, and when it is of another type. */
  object(objref: number, rule: RecordedObject): Part | undefined {
    const part = this.tree.objects.get(objref);
    return part?.rule === rule ? part : undefined;
  }

  /** All objects of a type in the order of the stream. */
  *objects(rule: RecordedObject): Generator<Part> {
    for (const part of this.tree.objects.values()) if (part.rule === rule) yield part;
  }

  /** The task whose TASK record this is. */
  taskAt(record: number): Part | undefined {
    return this.#tasks().get(record);
  }

  origin(record: number): Origin {
    return { image: this.#imageName, record };
  }
}

/** Objects that are not all there are left out, except descriptor tables, whose descriptors are whole. */
function withoutUnfinished(tree: Tree): Tree {
  if (tree.unfinished.length === 0) return tree;
  const unfinished = new Set(tree.unfinished.filter(({ rule }) => rule !== "FILE_TABLE"));
  return { ...tree, objects: new Map([...tree.objects].filter(([, part]) => !unfinished.has(part))) };
}
