import { type CrimgError, FormatError, isCrimgError } from "../../io/errors.js";
import type { MessageTable, Value } from "../../schema/message.js";
import { kindOfFileName } from "./detect.js";
import { CriuImage, type ImageRecord, type RecordDamage } from "./image.js";
import type { ImageKind } from "./image-kind.js";
import { CriuImageSet } from "./image-set.js";

/** With more damaged records than this an image is not read on: it is no image, and each error costs time. */
const MAX_DAMAGED_RECORDS = 100;

/** A part of an image file that could not be read. `record` is absent when it is the header, or the file as a whole. */
export interface Damage {
  readonly image: string;
  readonly record?: RecordDamage;
  /** What the content is when it is not what the file name says. */
  readonly misnamed?: ImageKind;
  readonly error: CrimgError;
}

/** An image that leaves out what it cannot read. */
class SalvagedImage extends CriuImage {
  readonly damage = new Map<number, Damage>();

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
      this.damage.set(-1, { image, error }); // the disk failed
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
 * An image set read as far as it can be: what is damaged counts as absent and is kept as `Damage` instead of being
 * thrown. The operating system's errors (unreadable files) count as damage too.
 */
export class SalvagedSet extends CriuImageSet {
  readonly #salvaged = new Map<string, SalvagedImage | Damage>();

  /** The damage of one image; complete once its records have been read. */
  damageOf(fileName: string): readonly Damage[] {
    const image = this.#salvaged.get(fileName);
    if (image === undefined) return [];
    return image instanceof SalvagedImage ? [...image.damage.values()] : [image];
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

  /** The records that can be read, as many as the kind may have; only those that `records` keeps already are kept. */
  recordsNamed(fileName: string): Iterable<ImageRecord> {
    return this.imageNamed(fileName)?.heldRecords() ?? [];
  }

  /** The records that can be read, one after the other, without keeping them. */
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
      const error = new FormatError("INVALID", "the content is of another kind than the name", {
        file: fileName,
      });
      return { image: fileName, misnamed: image.kind, error };
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      return { image: fileName, error };
    }
  }
}
