import path from "node:path";
import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { NotFoundError } from "../../io/errors.js";
import { hex } from "../../io/hex.js";
import { bytesText } from "../../schema/field-text.js";
import { leafText, structLeaves } from "../../schema/struct-fields.js";
import type { RecordView, ShownRecord } from "./record-view.js";
import { viewHead } from "./view.js";

/**
 * Records of a linux-cr stream as stored: `12` or `[12]`, optionally after the file name, or all records of a type by its
 * name, such as VMA. Errors: NotFoundError for a missing record or type.
 */
export function streamRecordView(image: LinuxCrImage, name: string): RecordView {
  const number = /^(?:.*\[)?(\d+)\]?$/s.exec(name)?.[1];
  const index = number === undefined ? undefined : Number(number);
  if (index !== undefined && index >= image.length)
    throw new NotFoundError(
      `no such record ${index} in ${image.name} (${image.length} records, numbered from 0)`,
    );
  const wanted = index === undefined ? name.toUpperCase() : image.label(index);
  const kind = Object.values(RECORDS).find((each) => each.name === wanted);
  if (index === undefined && kind === undefined)
    throw new NotFoundError(
      `no such record ${name} (expected a number such as '[12]', or a type of record such as VMA)`,
    );
  return {
    ...viewHead("record"),
    image: path.basename(image.name),
    kind: wanted,
    about: kind?.doc ?? "a record unknown in the revision of the image",
    records: index === undefined ? ofKind(image, wanted) : [shown(image, index)],
  };
}

function* ofKind(image: LinuxCrImage, name: string): Generator<ShownRecord> {
  for (let i = 0; i < image.length; i++) if (image.kind(i)?.name === name) yield shown(image, i);
}

function shown(image: LinuxCrImage, index: number): ShownRecord {
  const { offset, size } = image.range(index);
  const table = image.layout(index);
  const leaves = table === undefined ? [] : [...structLeaves(table, image.fields(index))];
  const payload = image.payload(index);
  const page = image.rawPage(index);
  const holds = image.kind(index)?.payload;
  const fields = leaves.map((leaf) => ({
    path: leaf.path,
    value: leaf.value,
    text: leafText(leaf),
    doc: leaf.field.doc,
  }));
  if (holds === "text" || holds === "path") {
    const text = image.text(index);
    fields.push({ path: "text", value: text, text: JSON.stringify(text), doc: undefined });
  }
  if (image.kind(index) === undefined) {
    const bytes = image.source.read(payload.offset, Math.min(payload.size, 64));
    fields.push({ path: "bytes", value: bytes, text: bytesText(bytes), doc: "kept as is" });
  }
  return {
    ...{ index, message: image.label(index), offset: hex(offset), size, fields },
    payload: [
      ...(payload.size > 0 ? [{ name: "payload", offset: hex(payload.offset), size: payload.size }] : []),
      ...(page === undefined ? [] : [{ name: "page", offset: hex(page.offset), size: page.size }]),
    ],
  };
}
