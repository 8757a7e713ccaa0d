import path from "node:path";
import { EditedImage } from "../../../formats/linux-cr/edited-image.js";
import type { LinuxCrImage } from "../../../formats/linux-cr/image.js";
import { layoutOf, type RecordKind, type RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { editSplices, encodeRecord, type RecordEdit, textPayload } from "../../../formats/linux-cr/write.js";
import { EditError } from "../../../io/errors.js";
import { MemorySource } from "../../../io/source.js";
import { type Splice, SplicedSource } from "../../../io/splice.js";
import { bytesToText } from "../../../io/text.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import { StreamReader } from "../../../model/linux-cr/reader.js";
import { equalValues } from "../../../schema/equal.js";
import { leafText, structLeaves, structText } from "../../../schema/struct-fields.js";
import { Editor, type Shown } from "../editor.js";
import { type Patch, Patches, patchedField } from "../patches.js";
import type { Edit, PlanOptions } from "../plan.js";
import { type StructPath, structValueAt, withStructValue } from "./struct-path.js";

/** A value of a record as it is planned: whole, and which of its outermost fields are other ones. */
interface PendingFields {
  value: Readonly<Record<string, unknown>>;
  readonly changed: Set<string>;
}

/** What stands before a record that was not there: a new record, or one that was moved. */
export interface Insertion {
  readonly label: string;
  readonly bytes: Buffer;
}

/**
 * The records of a linux-cr stream while edits are planned: each change is made at once on records that were read, so that
 * a later edit sees what an earlier one did. Records are numbered as in the image before; bytes that no edit names are
 * never read.
 */
export abstract class StreamRecords extends Editor {
  readonly image: LinuxCrImage;
  readonly reader: StreamReader;
  /** What changes call the image: the name of its file. */
  readonly name: string;
  readonly #fields = new Map<number, PendingFields>();
  readonly #payloads = new Map<number, Buffer>();
  readonly #dropped = new Set<number>();
  /** What stands before a record. */
  readonly #insertions = new Map<number, Insertion[]>();
  /** What belongs to a record and stands behind it: it goes where that goes. */
  readonly #followers = new Map<number, Insertion[]>();
  readonly #patches: Patches;

  constructor(
    readonly document: LinuxCrDocument,
    options: PlanOptions,
  ) {
    super(options);
    this.image = document.image;
    this.reader = new StreamReader(document.image);
    this.name = path.basename(document.name);
    this.#patches = new Patches(this.name);
  }

  imageOf(): string {
    return this.name;
  }

  /** The records as edits have left them; those that were taken away are still among them. */
  editedReader(): StreamReader {
    const image = new EditedImage(this.image, {
      fields: (index) => this.#fields.get(index)?.value,
      payload: (index) => this.#payloads.get(index),
    });
    return this.reader.over(image);
  }

  /** The fields of a record with what edits made of them. */
  fields(index: number): Readonly<Record<string, unknown>> {
    return this.#fields.get(index)?.value ?? this.image.fields(index);
  }

  /** As `fields`, of a record of the kind that it must be. */
  value<K extends RecordKind>(index: number, kind: K): RecordValue<K> {
    if (this.image.kind(index) !== kind) throw this.image.error(index, `${kind.name} was expected`);
    return this.fields(index) as RecordValue<K>;
  }

  payload(index: number): Buffer {
    return this.#payloads.get(index) ?? this.image.bytes(index);
  }

  /** The text of a STRING or FILE_NAME up to its NUL. */
  text(index: number): string {
    const bytes = this.payload(index);
    const end = bytes.indexOf(0);
    return bytesToText(end === -1 ? bytes : bytes.subarray(0, end));
  }

  /** Records of a kind that are still there, in their order. */
  *records(kind: RecordKind): Generator<number> {
    const byKind = this.once("records by kind", () => {
      const all = new Map<RecordKind, number[]>();
      for (let i = 0; i < this.image.length; i++) {
        const own = this.image.kind(i);
        if (own === undefined) continue;
        const list = all.get(own);
        if (list === undefined) all.set(own, [i]);
        else list.push(i);
      }
      return all;
    });
    for (const index of byKind.get(kind) ?? []) if (!this.isDropped(index)) yield index;
  }

  isDropped(index: number): boolean {
    return this.#dropped.has(index);
  }

  isChanged(index: number): boolean {
    return this.#fields.has(index) || this.#payloads.has(index);
  }

  /** Whether an edit has changed a record, or put something behind it. */
  isTouched(index: number): boolean {
    return this.isChanged(index) || this.followers(index).length > 0;
  }

  insertions(before: number): readonly Insertion[] {
    return this.#insertions.get(before) ?? [];
  }

  followers(behind: number): readonly Insertion[] {
    return this.isDropped(behind) ? [] : (this.#followers.get(behind) ?? []);
  }

  /** Sets a field and counts as a match. `shown` is what a person reads instead of the values. */
  change(edit: Edit, index: number, field: StructPath, after: unknown, shown?: Shown): void {
    this.matched(edit);
    const own = this.fields(index);
    const before = structValueAt(own, field);
    if (before === undefined)
      throw new EditError(`${this.image.label(index)} has no field ${field}`, this.image.place(index));
    if (equalValues(before, after)) return;
    const pending = this.#fields.get(index) ?? { value: own, changed: new Set<string>() };
    pending.value = withStructValue(own, field, after);
    pending.changed.add(field.split(/[.[]/, 1)[0] as string);
    this.#fields.set(index, pending);
    const text = (value: unknown): string | undefined =>
      shown === undefined && typeof value === "number" ? this.#text(index, field, value) : undefined;
    this.log(edit, {
      ...{ image: this.name, record: index, field, ...(shown ?? { before, after }) },
      ...{ beforeText: text(before), afterText: text(after) },
    });
  }

  /** Gives a record another payload; what counts its elements follows when the bytes are made. */
  setPayload(edit: Edit, index: number, payload: Buffer, field: string, shown?: Shown): void {
    this.matched(edit);
    const before = this.payload(index);
    if (before.equals(payload)) return;
    this.#payloads.set(index, payload);
    this.#record(edit, index, field, shown ?? { before, after: payload });
  }

  /** Gives a STRING or a record with a path another text; what stands behind the NUL stays. Errors: EDIT, too long. */
  setText(edit: Edit, index: number, text: string): void {
    const kind = this.image.kind(index) as RecordKind;
    const old = this.payload(index);
    const nul = old.indexOf(0);
    let fresh: Buffer;
    try {
      fresh = textPayload(kind, text);
    } catch (error) {
      throw error instanceof EditError ? new EditError(error.message, this.image.place(index)) : error;
    }
    const payload = nul === -1 ? fresh.subarray(0, -1) : Buffer.concat([fresh, old.subarray(nul + 1)]);
    this.setPayload(edit, index, payload, "text", { before: this.text(index), after: text });
  }

  /** Takes a record away. `shown` is what a person reads instead of its fields. */
  drop(edit: Edit, index: number, shown?: unknown): void {
    this.matched(edit);
    if (this.isDropped(index)) return;
    this.#dropped.add(index);
    const label = this.image.label(index);
    const table = this.image.layout(index);
    const fields = this.fields(index);
    const text = table === undefined ? undefined : structText(table, fields);
    const at = { image: this.name, record: index, field: "" };
    if (shown === undefined)
      this.log(edit, {
        ...at,
        before: { [label]: fields },
        after: undefined,
        beforeText: named(label, text),
      });
    else this.log(edit, { ...at, before: shown, after: undefined });
  }

  /** Puts a new record before another one, behind what was put there already. */
  insert(
    edit: Edit,
    before: number,
    kind: RecordKind,
    fields: Readonly<Record<string, unknown>>,
    payload: Buffer = Buffer.alloc(0),
    shown?: unknown,
  ): void {
    this.matched(edit);
    add(this.#insertions, before, { label: kind.name, bytes: this.#encode(kind, fields, payload) });
    this.#added(edit, before, kind, fields, shown);
  }

  /** Puts a new record behind the one that it belongs to, and behind what was put there already. */
  insertBehind(
    edit: Edit,
    index: number,
    kind: RecordKind,
    fields: Readonly<Record<string, unknown>>,
    payload: Buffer = Buffer.alloc(0),
    shown?: unknown,
  ): void {
    this.matched(edit);
    add(this.#followers, index, { label: kind.name, bytes: this.#encode(kind, fields, payload) });
    this.#added(edit, index + 1, kind, fields, shown);
  }

  /** Puts a record that was taken away behind another one, which it belongs to from now on. */
  handOver(index: number, next: number): void {
    add(this.#followers, next, { label: this.image.label(index), bytes: this.#bytesOf(index) });
  }

  /** Moves records with what follows them to stand before another one, with what edits made of them until now. */
  move(indexes: readonly number[], before: number): void {
    for (const index of indexes) {
      if (this.isDropped(index)) continue;
      const own = { label: this.image.label(index), bytes: this.#bytesOf(index) };
      for (const each of [own, ...this.followers(index)]) add(this.#insertions, before, each);
      this.#dropped.add(index);
    }
  }

  /** Changes bytes inside a record that is not read as a whole, such as one with pages; `shown` is on record instead. */
  patch(edit: Edit, index: number, offset: number, { bytes, shown }: Patch): void {
    this.matched(edit);
    this.#patches.add(offset, bytes);
    const values = shown ?? {
      before: Buffer.from(this.image.source.read(offset, bytes.length)),
      after: bytes,
    };
    this.#record(edit, index, patchedField(offset, bytes, shown), values);
  }

  splices(): Map<string, Splice[]> {
    const all = this.#allSplices();
    return new Map(all.length === 0 ? [] : [[this.name, all]]);
  }

  /** Ascending. */
  #allSplices(): Splice[] {
    const edits = new Map<number, RecordEdit>();
    for (const index of new Set([...this.#fields.keys(), ...this.#payloads.keys()]))
      if (!this.isDropped(index)) edits.set(index, this.#editOf(index));
    const all = [...editSplices(this.image, edits)];
    for (const before of new Set([
      ...this.#insertions.keys(),
      ...[...this.#followers.keys()].map((i) => i + 1),
    ])) {
      const list = [...this.followers(before - 1), ...this.insertions(before)];
      const bytes = Buffer.concat(list.map((each) => each.bytes));
      if (bytes.length > 0) all.push({ offset: this.#startOf(before), size: 0, bytes });
    }
    for (const index of this.#dropped) {
      const { offset, size } = this.image.range(index);
      const page = this.image.rawPage(index)?.size ?? 0;
      all.push({ offset, size: size + page, bytes: Buffer.alloc(0) });
    }
    return this.#patches.among(all);
  }

  #editOf(index: number): RecordEdit {
    const { value, changed = new Set<string>() } = this.#fields.get(index) ?? {};
    const payload = this.#payloads.get(index);
    const fields = Object.fromEntries([...changed].map((name) => [name, value?.[name]]));
    return payload === undefined ? { fields } : { fields, payload };
  }

  #bytesOf(index: number): Buffer {
    const { offset, size } = this.image.range(index);
    const whole = size + (this.image.rawPage(index)?.size ?? 0);
    const splices = this.isChanged(index)
      ? editSplices(this.image, new Map([[index, this.#editOf(index)]]))
      : [];
    const part = new MemorySource(Buffer.from(this.image.source.read(offset, whole)), this.image.name);
    const moved = splices.map((splice) => ({ ...splice, offset: splice.offset - offset }));
    const source = new SplicedSource(part, moved);
    return source.read(0, source.size);
  }

  #added(
    edit: Edit,
    record: number,
    kind: RecordKind,
    fields: Readonly<Record<string, unknown>>,
    shown: unknown,
  ): void {
    const at = { image: this.name, record, field: "", before: undefined };
    if (shown !== undefined) {
      this.log(edit, { ...at, after: shown });
      return;
    }
    const table = layoutOf(kind, this.image.dialect, 0, fields.f_type as number | undefined);
    const text = table === undefined ? undefined : structText(table, fields);
    this.log(edit, { ...at, after: { [kind.name]: fields }, afterText: named(kind.name, text) });
  }

  #encode(kind: RecordKind, fields: Readonly<Record<string, unknown>>, payload: Buffer): Buffer {
    return encodeRecord(kind, this.image.dialect, this.image.byteOrder, fields, payload);
  }

  /** The record whose bytes these are. */
  recordAt(offset: number): number {
    let low = 0;
    let high = this.image.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.image.range(middle).offset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #startOf(index: number): number {
    return index < this.image.length ? this.image.range(index).offset : this.image.ending.offset;
  }

  #text(index: number, path: StructPath, value: number): string | undefined {
    const table = this.image.layout(index);
    if (table === undefined) return undefined;
    for (const leaf of structLeaves(table, this.fields(index)))
      if (leaf.path === path) return leafText({ ...leaf, value });
    return undefined;
  }

  #record(edit: Edit, record: number, field: string, { before, after }: Shown): void {
    this.log(edit, { image: this.name, record, field, before, after });
  }
}

function named(label: string, text: string | undefined): string {
  return text ? `${label}: ${text}` : label;
}

function add(map: Map<number, Insertion[]>, index: number, insertion: Insertion): void {
  const list = map.get(index);
  if (list === undefined) map.set(index, [insertion]);
  else list.push(insertion);
}
