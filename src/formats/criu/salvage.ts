import { isCrimgError } from "../../io/errors.js";
import type { MessageTable, Value } from "../../schema/message.js";
import { fileNameOf } from "./detect.js";
import type { CriuImage, ImageRecord, RecordDamage } from "./image.js";
import type { ImageKind } from "./image-kind.js";
import { CriuImageSet } from "./image-set.js";

/** With more damaged records than this an image is not read on: it is no image, and each error costs time. */
const MAX_DAMAGED_RECORDS = 100;

/** A part of an image file that could not be read. `record` is absent when it is the header, or the file as a whole. */
export interface Damage {
  readonly image: string;
  readonly record?: RecordDamage;
  readonly error: RecordDamage["error"];
}

/**
 * An image set read as far as it can be: what is damaged counts as absent and is kept as `Damage` instead of being
 * thrown. The operating system's errors (unreadable files) count as damage too.
 */
export class SalvagedSet extends CriuImageSet {
  readonly #damage = new Map<string, Damage[]>();
  readonly #unreadable = new Set<string>();
  readonly #records = new Map<string, readonly ImageRecord[]>();

  /** The damage of one image; complete once its records have been read. */
  damageOf(fileName: string): readonly Damage[] {
    return this.#damage.get(fileName) ?? [];
  }

  override imageNamed(fileName: string): CriuImage | undefined {
    if (this.#unreadable.has(fileName)) return undefined;
    try {
      return super.imageNamed(fileName);
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      this.#unreadable.add(fileName);
      this.#note(fileName, { image: fileName, error });
      return undefined;
    }
  }

  /** The records of the image that can be read, kept for the next call. */
  override records<M extends MessageTable>(
    kind: ImageKind<M>,
    id?: number,
  ): readonly ImageRecord<Value<M>>[] {
    return this.recordsNamed(fileNameOf(kind, id)) as readonly ImageRecord<Value<M>>[];
  }

  /** Like `records`, by file name. */
  recordsNamed(fileName: string): readonly ImageRecord[] {
    let records = this.#records.get(fileName);
    if (records === undefined) {
      records = [...this.streamNamed(fileName)];
      this.#records.set(fileName, records);
    }
    return records;
  }

  /** The records of the image that can be read, one after the other, without keeping them. */
  *streamNamed(fileName: string): Generator<ImageRecord> {
    const image = this.imageNamed(fileName);
    if (image === undefined) return;
    const known = new Set(this.damageOf(fileName).map(({ record }) => record?.index));
    let count = 0;
    yield* image.readRecords((record) => {
      if (!known.has(record.index)) this.#note(fileName, { image: fileName, record, error: record.error });
      return ++count < MAX_DAMAGED_RECORDS;
    });
  }

  override first<M extends MessageTable>(kind: ImageKind<M>, id?: number): Value<M> | undefined {
    return this.records(kind, id)[0]?.value;
  }

  #note(fileName: string, damage: Damage): void {
    const list = this.#damage.get(fileName);
    if (list === undefined) this.#damage.set(fileName, [damage]);
    else list.push(damage);
  }
}
