import { type CrimgError, FormatError, isCrimgError } from "../../io/errors.js";
import type { MessageTable, Value } from "../../schema/message.js";
import { kindOfFileName } from "./detect.js";
import { CriuImage, type ImageRecord, type RecordDamage } from "./image.js";
import type { ImageKind } from "./image-kind.js";
import { CriuImageSet } from "./image-set.js";

/** Reading stops after this many damaged records, since each error costs time. */
const MAX_DAMAGED_RECORDS = 100;

/** A damaged part of an image file. `record` is absent for the header or the whole file. */
export interface Damage {
  readonly image: string;
  readonly record?: RecordDamage;
  /** Kind of the content, if it does not match the file name. */
  readonly misnamed?: ImageKind;
  readonly error: CrimgError;
}

/** An image that omits damaged parts. */
class SalvagedImage extends CriuImage {
  readonly damage = new Map<number, Damage>();

  override get omitsDamage(): boolean {
    return true;
  }

  override *readRecords(): Generator<ImageRecord> {
    const image = this.fileName;
    let count = 0;
    try {
      yield* super.readRecords((record) => {
        this.damage.set(record.index, { image, record, error: record.error });
        return ++count < MAX_DAMAGED_RECORDS;
      });
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      this.damage.set(-1, { image, error }); // I/O error
    }
  }

  override *heldRecords(): Generator<ImageRecord> {
    const most = this.kind?.most ?? 0;
    for (const record of this.readRecords()) {
      const { index } = record;
      if (index < most) yield record;
      else {
        const error = this.tooMany(record);
        this.damage.set(index, { image: this.fileName, record: { index, error, framed: true }, error });
        return;
      }
    }
  }
}

/**
 * An image set read as far as possible: damaged parts count as absent and are collected as `Damage` instead of thrown.
 * Errors of the operating system (unreadable files) count as damage too.
 */
export class SalvagedSet extends CriuImageSet {
  readonly #salvaged = new Map<string, SalvagedImage | Damage>();

  /** The damage of one image; complete once its records were read. */
  damageOf(fileName: string): readonly Damage[] {
    const image = this.#salvaged.get(fileName);
    if (image === undefined) return [];
    return image instanceof SalvagedImage ? [...image.damage.values()] : [image];
  }

  /** The damage of all images that were read so far. */
  damage(): readonly Damage[] {
    return [...this.#salvaged.keys()].flatMap((name) => this.damageOf(name));
  }

  override imageNamed(fileName: string): CriuImage | undefined {
    let image = this.#salvaged.get(fileName);
    if (image === undefined) {
      image = this.#open(fileName);
      if (image === undefined) return undefined;
      this.#salvaged.set(fileName, image);
    }
    return image instanceof SalvagedImage ? image : undefined;
  }

  /** The undamaged records, up to the limit of the kind; not cached unless `records` has them. */
  recordsNamed(fileName: string): Iterable<ImageRecord> {
    return this.imageNamed(fileName)?.heldRecords() ?? [];
  }

  /** The undamaged records in order, not cached. */
  streamNamed(fileName: string): Iterable<ImageRecord> {
    return this.imageNamed(fileName)?.readRecords() ?? [];
  }

  override first<M extends MessageTable>(kind: ImageKind<M>, id?: number): Value<M> | undefined {
    return this.records(kind, id)[0]?.value;
  }

  override firstPart<M extends MessageTable>(
    kind: ImageKind,
    id: number | undefined,
    _table: M,
  ): Value<M> | undefined {
    return this.first(kind, id) as Value<M> | undefined;
  }

  override refuse(image: string, index: number, error: FormatError): void {
    const found = this.#salvaged.get(image);
    if (found instanceof SalvagedImage)
      found.damage.set(index, { image, record: { index, error, framed: true }, error });
  }

  #open(fileName: string): SalvagedImage | Damage | undefined {
    try {
      const source = this.fileSet.open(fileName);
      if (source === undefined) return undefined;
      const image = new SalvagedImage(source, fileName);
      this.links.count(image);
      const expected = kindOfFileName(fileName)?.kind;
      if (image.kind === undefined || expected === undefined || image.kind.magic === expected.magic)
        return image;
      const error = new FormatError("INVALID", "the kind of the content does not match the file name", {
        file: fileName,
      });
      return { image: fileName, misnamed: image.kind, error };
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      return { image: fileName, error };
    }
  }
}
