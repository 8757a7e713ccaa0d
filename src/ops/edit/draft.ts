import path from "node:path";
import type { CriuImage, ImageRecord } from "../../formats/criu/image.js";
import { CriuImageSet } from "../../formats/criu/image-set.js";
import { type RecordEdits, rewriteImage } from "../../formats/criu/rewrite.js";
import { EditError } from "../../io/errors.js";
import type { FileSet } from "../../io/file-set.js";
import type { Splice } from "../../io/splice.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import { criuCheckpoint } from "../../model/criu/checkpoint.js";
import { encodeIdentity } from "../../model/criu/file-identity.js";
import { encodeUtsNamespace } from "../../model/criu/ipc.js";
import { encodeLock } from "../../model/criu/locks.js";
import { encodeEnds, encodeName, swapped } from "../../model/criu/sockets.js";
import { encodeTimer } from "../../model/criu/timers.js";
import type { FileIdentity } from "../../model/open-file.js";
import type { Origin } from "../../model/origin.js";
import type { Socket } from "../../model/socket.js";
import { equalValues } from "../../schema/equal.js";
import type { AnyValue, Field, MessageTable, Value } from "../../schema/message.js";
import { type FieldChange, type FieldPath, formatPath, parsePath } from "../../schema/patch.js";
import {
  fieldVisitor,
  messageVisitor,
  type VisitedField,
  type VisitedMessage,
  type Visitor,
} from "../../schema/visit.js";
import { Editor, type Encoders } from "./editor.js";
import type { Parsed } from "./kind.js";
import type { AddressRule } from "./kinds/remap-address.js";
import { leaveLookalikes, type Wants } from "./lookalikes.js";
import { remapOtherAddresses } from "./other-addresses.js";
import type { Edit, PlanOptions } from "./plan.js";
import { fieldAt, shownValue, valueAt, withValueAt } from "./value-at.js";

/** The fields that an edit of this kind changes. */
const CHANGED: Readonly<Record<"host name", Wants>> = {
  "host name": (field, name) => field.holds === "host-name" && name === "nodename",
};

/** A record of an image, and whatever was found in it. */
export type Found<T> = T & { readonly image: CriuImage; readonly record: ImageRecord };

interface ImageDraft {
  readonly changed: Map<number, FieldChange[]>;
  readonly dropped: Set<number>;
  readonly added: { readonly table: MessageTable; readonly value: AnyValue }[];
}

/**
 * The image set while edits are planned: its own decoded records, on which each change is made at once, so that a
 * later edit sees what an earlier one did, and the list of what has to be done to the bytes.
 */
export class Draft extends Editor {
  readonly set: CriuImageSet;
  readonly holdsAllTimes = false;
  protected readonly encoders: Encoders = {
    lock: encodeLock,
    timer: encodeTimer,
    uts: encodeUtsNamespace,
    ends: (ends) => encodeEnds(ends, this.#isBigEndian()),
    unix: encodeName,
    identity: (identity) =>
      encodeIdentity(
        identity,
        this.set.imageNamed(identity.origin.image)?.header?.byteOrder ?? "little-endian",
      ),
  };
  readonly #images = new Map<string, ImageDraft>();
  readonly #patches = new Map<string, Splice[]>();

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

  protected makeModel(): Checkpoint {
    return criuCheckpoint(this.set);
  }

  imageOf({ image }: Origin): string {
    return image;
  }

  protected isThere(origin: Origin): boolean {
    const { image, record } = this.#found(origin);
    return !this.isDropped(image, record);
  }

  protected changeField(edit: Edit, origin: Origin, path: FieldPath, value: unknown): void {
    const { image, record } = this.#found(origin);
    this.change(edit, image, record, [...parsePath(origin.field ?? ""), ...path], value);
  }

  dropIdentity(edit: Edit, identity: FileIdentity): void {
    const nothing = { size: undefined, mode: undefined, buildId: undefined };
    this.changeObject(edit, "identity", identity, nothing, () => "a file without checks");
  }

  protected dropAt(edit: Edit, origin: Origin): void {
    const { image, record } = this.#found(origin);
    if (origin.field === undefined) this.drop(edit, image, record);
    else this.change(edit, image, record, parsePath(origin.field), undefined);
  }

  patchFile(edit: Edit, file: string, offset: number, bytes: Buffer): void {
    this.patch(edit, path.basename(file), offset, bytes);
  }

  leaveSimilar(edit: Edit, text: string, changed: keyof typeof CHANGED): void {
    leaveLookalikes(this, edit, text, CHANGED[changed]);
  }

  /** Errors: EDIT for an origin that is no record of the set. */
  #found({ image: name, record: index }: Origin): {
    readonly image: CriuImage;
    readonly record: ImageRecord;
  } {
    const image = this.set.imageNamed(name);
    const record = image?.records()[index];
    if (image === undefined || record === undefined)
      throw new EditError("there is no such record", { file: name, path: `[${index}]` });
    return { image, record };
  }

  *sockets(): Generator<Socket> {
    for (const { socket, origin } of this.checkpoint.files.all)
      if (socket !== undefined && this.isThere(origin)) yield socket;
  }

  remapOtherAddresses(edits: readonly Parsed<AddressRule>[]): void {
    remapOtherAddresses(this, edits);
  }

  /** Words of an address as images hold them from the order of memory of a little-endian machine, or the other way round. */
  wordsInOrder(words: readonly number[]): number[] {
    return this.#isBigEndian() ? words.map(swapped) : [...words];
  }

  /** All images of a set are of one machine. */
  #isBigEndian(): boolean {
    return this.once("byte order", () => {
      const first = this.set.files.find(({ kind }) => kind?.magic !== undefined);
      return first !== undefined && this.set.imageNamed(first.name)?.header?.byteOrder === "big-endian";
    });
  }

  /** Visits the fields that `wants` picks, in all images that hold such a field. */
  eachField(
    wants: (field: Field, name: string, table: MessageTable) => boolean,
    visit: (found: Found<VisitedField>) => void,
  ): void {
    const visitors = new Map<MessageTable, Visitor<VisitedField> | undefined>();
    this.#each((table) => memo(visitors, table, () => fieldVisitor(table, wants)), visit);
  }

  /** Visits the messages of one table in all images that hold it. */
  eachMessage<M extends MessageTable>(
    table: M,
    visit: (found: Found<{ readonly path: FieldPath; readonly value: Value<M> }>) => void,
  ): void {
    const visitors = new Map<MessageTable, Visitor<VisitedMessage> | undefined>();
    this.#each(
      (each) => memo(visitors, each, () => messageVisitor(each, table)),
      visit as (found: Found<VisitedMessage>) => void,
    );
  }

  /** Sets a field (undefined: takes it away) and counts as a match of the edit. What is so already is no change. */
  change(edit: Edit, image: CriuImage, record: ImageRecord, path: FieldPath, after: unknown): void {
    this.matched(edit);
    const before = valueAt(record.value, path);
    if (equalValues(before, after) || (isEmptyList(before) && after === undefined)) return;
    const { changed } = this.#draftOf(image);
    const list = changed.get(record.index);
    if (list === undefined) changed.set(record.index, [{ path, value: after }]);
    else list.push({ path, value: after });
    withValueAt(record.table, record.value, path, after);
    const field = fieldAt(record.table, path);
    const show = (value: unknown): unknown => (isEmptyList(value) ? undefined : shownValue(field, value));
    this.#record(edit, image, record.index, formatPath(path), show(before), show(after));
  }

  /** Takes a record with its payload away. */
  drop(edit: Edit, image: CriuImage, record: ImageRecord): void {
    this.matched(edit);
    if (this.isDropped(image, record)) return;
    this.#draftOf(image).dropped.add(record.index);
    this.#record(edit, image, record.index, "", record.value, undefined);
  }

  isDropped(image: CriuImage, record: ImageRecord): boolean {
    return this.#images.get(image.fileName)?.dropped.has(record.index) ?? false;
  }

  /** Puts a record at the end of an image. */
  add(edit: Edit, image: CriuImage, table: MessageTable, value: AnyValue): void {
    this.matched(edit);
    const { added } = this.#draftOf(image);
    this.#record(edit, image, image.records().length + added.length, "", undefined, value);
    added.push({ table, value });
  }

  /** Changes bytes of a raw image in place. */
  patch(edit: Edit, fileName: string, offset: number, bytes: Buffer): void {
    this.matched(edit);
    const source = this.files.open(fileName);
    if (source === undefined) throw new EditError("there is no such file in the set", { file: fileName });
    const before = Buffer.from(source.read(offset, bytes.length));
    const patches = memo(this.#patches, fileName, () => []);
    const end = offset + bytes.length;
    if (patches.some((other) => other.offset < end && offset < other.offset + other.size))
      throw new EditError("two edits change the same bytes", { file: fileName, offset });
    patches.push({ offset, size: bytes.length, bytes });
    this.#record(edit, { fileName }, undefined, `0x${offset.toString(16)}`, before, bytes);
  }

  /** The bytes to change by file, those of a file in ascending order. */
  splices(): Map<string, Splice[]> {
    const all = new Map<string, Splice[]>();
    for (const [name, edits] of this.#images) {
      const image = this.set.imageNamed(name);
      if (image !== undefined) all.set(name, rewriteImage(image, edits satisfies RecordEdits));
    }
    for (const [name, patches] of this.#patches)
      all.set(
        name,
        [...(all.get(name) ?? []), ...patches].sort((a, b) => a.offset - b.offset),
      );
    for (const [name, splices] of all) if (splices.length === 0) all.delete(name);
    return all;
  }

  /** How many records of an image there will be. */
  recordCount(image: CriuImage): number {
    const draft = this.#images.get(image.fileName);
    return image.records().length - (draft?.dropped.size ?? 0) + (draft?.added.length ?? 0);
  }

  #each<T>(
    visitorOf: (table: MessageTable) => Visitor<T> | undefined,
    visit: (found: Found<T>) => void,
  ): void {
    for (const { name, kind } of this.set.files) {
      if (kind === undefined || !kind.entries.some((entry) => visitorOf(entry.message) !== undefined))
        continue;
      const image = this.set.imageNamed(name);
      if (image === undefined) continue;
      for (const record of image.records()) {
        if (this.isDropped(image, record)) continue;
        visitorOf(record.table)?.(record.value, (found) => visit({ ...found, image, record }));
      }
    }
  }

  #draftOf(image: CriuImage): ImageDraft {
    return memo(this.#images, image.fileName, () => ({ changed: new Map(), dropped: new Set(), added: [] }));
  }

  #record(
    edit: Edit,
    image: { readonly fileName: string },
    record: number | undefined,
    field: string,
    before: unknown,
    after: unknown,
  ): void {
    this.log(edit, { image: image.fileName, record, field, before, after });
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
