import type { CriuImage, ImageRecord } from "../../../formats/criu/image.js";
import { CriuImageSet } from "../../../formats/criu/image-set.js";
import { type RecordEdits, rewriteImage } from "../../../formats/criu/rewrite.js";
import { EditError } from "../../../io/errors.js";
import type { FileSet } from "../../../io/file-set.js";
import type { Splice } from "../../../io/splice.js";
import type { Origin } from "../../../model/origin.js";
import { equalValues } from "../../../schema/equal.js";
import { fieldText } from "../../../schema/field-text.js";
import type { AnyValue, Field, MessageTable } from "../../../schema/message.js";
import { messageText } from "../../../schema/message-fields.js";
import { type FieldChange, type FieldPath, formatPath } from "../../../schema/patch.js";
import { type FieldVisitor, fieldVisitor, type VisitedField } from "../../../schema/visit.js";
import { Editor } from "../editor.js";
import type { PathField } from "../objects.js";
import { type Patch, Patches, patchedField } from "../patches.js";
import type { Edit, PlanOptions } from "../plan.js";
import { fieldAt, shownValue, valueAt, withValueAt } from "./value-at.js";

/** A record of an image. */
export interface FoundRecord {
  readonly image: CriuImage;
  readonly record: ImageRecord;
}

/** A field with a path that was visited. */
export function pathFieldOf({ image, record, owner, name, path }: FoundRecord & VisitedField): PathField {
  return {
    text: owner[name] as string,
    field: name,
    // Made when it is asked for: a set has hundreds of thousands.
    get origin() {
      return { image: image.fileName, record: record.index, field: formatPath(path.slice(0, -1)) };
    },
  };
}

interface PendingImage {
  readonly changed: Map<number, FieldChange[]>;
  readonly dropped: Set<number>;
  readonly added: { readonly table: MessageTable; readonly value: AnyValue }[];
}

/**
 * The records of an image set while edits are planned: each change is made at once on decoded records, so that a later
 * edit sees what an earlier one did, and listed as what has to be done to the bytes.
 */
export abstract class SetRecords extends Editor {
  readonly set: CriuImageSet;
  readonly #images = new Map<string, PendingImage>();
  readonly #patches = new Map<string, Patches>();

  constructor(
    readonly files: FileSet,
    options: PlanOptions,
  ) {
    super(options);
    this.set = new CriuImageSet(files);
  }

  get name(): string {
    return this.set.name;
  }

  imageOf({ image }: Origin): string {
    return image;
  }

  /** Errors: EDIT for an origin that is no record of the set. */
  recordAt({ image: name, record: index }: Origin): FoundRecord {
    const image = this.set.imageNamed(name);
    const record = image?.records()[index];
    if (image === undefined || record === undefined)
      throw new EditError("there is no such record", { file: name, path: `[${index}]` });
    return { image, record };
  }

  /** Visits the fields that `wants` picks, in all images that hold such a field. */
  eachField(
    wants: (field: Field, name: string, table: MessageTable) => boolean,
    visit: (found: FoundRecord & VisitedField) => void,
  ): void {
    const visitors = new Map<MessageTable, FieldVisitor | undefined>();
    const visitorOf = (table: MessageTable) => memo(visitors, table, () => fieldVisitor(table, wants));
    for (const { name, kind } of this.set.files) {
      if (kind === undefined || !kind.entries.some(({ message }) => visitorOf(message) !== undefined))
        continue;
      const image = this.set.imageNamed(name);
      if (image === undefined) continue;
      for (const record of image.records()) {
        if (this.isDropped(image, record)) continue;
        visitorOf(record.table)?.(record.value, (found) => visit({ ...found, image, record }));
      }
    }
  }

  /** Sets a field (undefined: takes it away) and counts as a match of the edit. What is so already is no change. */
  change(edit: Edit, { image, record }: FoundRecord, path: FieldPath, after: unknown): void {
    this.matched(edit);
    const before = valueAt(record.value, path);
    if (equalValues(before, after) || (isEmptyList(before) && after === undefined)) return;
    const { changed } = this.#pendingOf(image);
    const list = changed.get(record.index);
    if (list === undefined) changed.set(record.index, [{ path, value: after }]);
    else list.push({ path, value: after });
    withValueAt(record.table, record.value, path, after);
    const field = fieldAt(record.table, path);
    const show = (value: unknown): unknown => (isEmptyList(value) ? undefined : shownValue(field, value));
    const name = path.findLast((part) => typeof part === "string") ?? "";
    const text = (value: unknown): string | undefined =>
      field === undefined || typeof value !== "number" ? undefined : fieldText(name, field, value);
    this.log(edit, {
      ...{ image: image.fileName, record: record.index, field: formatPath(path) },
      ...{ before: show(before), after: show(after), beforeText: text(before), afterText: text(after) },
    });
  }

  /** Takes a record with its payload away. */
  drop(edit: Edit, { image, record }: FoundRecord): void {
    this.matched(edit);
    if (this.isDropped(image, record)) return;
    this.#pendingOf(image).dropped.add(record.index);
    const beforeText = messageText(record.table, record.value);
    const at = { image: image.fileName, record: record.index, field: "" };
    this.log(edit, { ...at, before: record.value, after: undefined, beforeText });
  }

  isDropped(image: CriuImage, record: ImageRecord): boolean {
    return this.#images.get(image.fileName)?.dropped.has(record.index) ?? false;
  }

  /** Puts a record at the end of an image. */
  add(edit: Edit, image: CriuImage, table: MessageTable, value: AnyValue): void {
    this.matched(edit);
    const { added } = this.#pendingOf(image);
    const at = { image: image.fileName, record: image.records().length + added.length, field: "" };
    this.log(edit, { ...at, before: undefined, after: value, afterText: messageText(table, value) });
    added.push({ table, value });
  }

  /** Changes bytes of an image in place; `shown` is on record instead of them. */
  patch(edit: Edit, fileName: string, offset: number, { bytes, shown }: Patch): void {
    this.matched(edit);
    const source = this.files.open(fileName);
    if (source === undefined) throw new EditError("there is no such file in the set", { file: fileName });
    memo(this.#patches, fileName, () => new Patches(fileName)).add(offset, bytes);
    const values = shown ?? { before: Buffer.from(source.read(offset, bytes.length)), after: bytes };
    this.log(edit, {
      image: fileName,
      record: undefined,
      field: patchedField(offset, bytes, shown),
      ...values,
    });
  }

  splices(): Map<string, Splice[]> {
    const all = new Map<string, Splice[]>();
    for (const [name, edits] of this.#images) {
      const image = this.set.imageNamed(name);
      if (image !== undefined) all.set(name, rewriteImage(image, edits satisfies RecordEdits));
    }
    for (const [name, patches] of this.#patches) all.set(name, patches.among(all.get(name) ?? []));
    for (const [name, splices] of all) if (splices.length === 0) all.delete(name);
    return all;
  }

  /** How many records of an image there will be. */
  recordCount(image: CriuImage): number {
    const pending = this.#images.get(image.fileName);
    return image.records().length - (pending?.dropped.size ?? 0) + (pending?.added.length ?? 0);
  }

  #pendingOf(image: CriuImage): PendingImage {
    return memo(this.#images, image.fileName, () => ({ changed: new Map(), dropped: new Set(), added: [] }));
  }
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function memo<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  if (map.has(key)) return map.get(key) as V;
  const value = make();
  map.set(key, value);
  return value;
}
