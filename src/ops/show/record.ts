import type { CriuImage, ImageRecord } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { NotFoundError } from "../../io/errors.js";
import { hex } from "../../io/hex.js";
import type { Document } from "../../model/document.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";
import { type MessageField, messageFields } from "../../schema/message-fields.js";
import type { RecordView, ShownRecord } from "./record-view.js";
import { streamRecordView } from "./stream-record.js";
import { viewHead } from "./view.js";

/**
 * Records as stored: `files.img[3]`, or all of `core-1000.img`.
 * Errors: NotFoundError for a missing image or record; FormatError for a damaged one.
 */
export function recordView(document: Document, name: string): RecordView {
  if (document.family === "linux-cr") return streamRecordView(document.image, name);
  const { set } = document;
  const [, file, index] = /^(.*?)(?:\[(\d+)\])?$/s.exec(name) as unknown as [string, string, string?];
  const image = imageNamed(set, file);
  const { kind } = image;
  if (kind === undefined)
    throw new NotFoundError(`${file} is a raw image (${image.source.size} bytes) without records`);
  const records = index === undefined ? image.readRecords() : [recordAt(image, Number(index))];
  return {
    ...viewHead("record"),
    ...{ image: file, kind: kind.name, about: kind.doc },
    records: shownRecords(records),
  };
}

function imageNamed(set: CriuImageSet, file: string): CriuImage {
  const image = set.imageNamed(file) ?? set.imageNamed(`${file}.img`);
  if (image !== undefined) return image;
  const names = set.files.filter(({ kind }) => kind?.magic !== undefined).map(({ name }) => name);
  const likely = names.filter((name) => name.startsWith(file.slice(0, 4)));
  throw new NotFoundError(
    `no such image ${file} (expected one of ${firstOf(likely.length > 0 ? likely : names)})`,
  );
}

const LISTED = 12;

function firstOf(names: readonly string[]): string {
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : "";
  return `${names.slice(0, LISTED).join(", ")}${more}`;
}

function recordAt(image: CriuImage, index: number): ImageRecord {
  let count = 0;
  for (const record of image.readRecords()) {
    if (record.index === index) return record;
    count++;
  }
  throw new NotFoundError(`no such record ${index} in ${image.fileName} (${count} records, numbered from 0)`);
}

function* shownRecords(records: Iterable<ImageRecord<AnyValue>>): Generator<ShownRecord> {
  for (const { index, table, offset, size, value, payload } of records)
    yield {
      ...{ index, message: table.name, offset: hex(offset), size },
      fields: new RecordFields(table, value),
      payload: payload.map((part) => ({ name: part.name, offset: hex(part.offset), size: part.size })),
    };
}

/** The fields of a record, made while they are read. */
class RecordFields {
  constructor(
    private readonly table: MessageTable,
    private readonly value: AnyValue,
  ) {}

  get length(): number {
    let count = 0;
    for (const _ of this) count++;
    return count;
  }

  [Symbol.iterator](): Generator<MessageField> {
    return messageFields(this.table, this.value);
  }
}
