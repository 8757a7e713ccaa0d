import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CriuImage } from "../../src/formats/criu/image.js";
import { decodeStream, encodeStream, LinuxCrImage, MemorySource } from "../../src/index.js";
import { bytesToText, textToBytes } from "../../src/io/text.js";
import { encodeMessage } from "../../src/schema/encode.js";
import { type AnyValue, fieldMessage, type MessageTable } from "../../src/schema/message.js";
import { fixture, streamFixture } from "./images.js";

/** What a terminal would obey or hide, the worst first, for fields that are cut: C0, C1, bidi, line ends, no UTF-8. */
export const POISON =
  "\u001b[31m\u0007\r\u009b\u202e\udc9b\udcff\n\u001b]0;x\u0007\u2066\u061c\u200f\u2028\u007f\ufeff";
const POISON_BYTES = textToBytes(POISON);

/** Which fields are poisoned: texts only, so that all else stays readable, or also bytes. */
export type Dose = "texts" | "texts and bytes";

/** The files of a fixture with poison behind every string of every record, and in texts of memory. */
export function poisonedSet(name: string, dose: Dose): Map<string, Buffer> {
  const directory = fixture(name);
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((file) => [
      file.name,
      poisonedImage(readFileSync(join(directory, file.name)), file.name, dose),
    ]),
  );
}

function poisonedImage(bytes: Buffer, fileName: string, dose: Dose): Buffer {
  if (fileName.startsWith("pages-")) return poisonedMemory(bytes);
  const image = new CriuImage(new MemorySource(bytes, fileName), fileName);
  if (image.header === undefined) return bytes;
  const parts: Buffer[] = [];
  let at = 0;
  for (const { table, value, offset, size } of image.records()) {
    const message = encodeMessage(table, poisonedValue(table, value, dose) as never);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.length);
    parts.push(bytes.subarray(at, offset - 4), length, message);
    at = offset + size;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]);
}

function poisonedValue(table: MessageTable, value: AnyValue, dose: Dose): AnyValue {
  const poisoned: AnyValue = { ...value };
  for (const [name, field] of Object.entries(table.fields)) {
    const nested = fieldMessage(table, field);
    const one = (item: unknown): unknown => {
      if (nested !== undefined) return poisonedValue(nested, item as AnyValue, dose);
      if (field.type === "string") return item + POISON;
      return field.type === "bytes" && dose === "texts and bytes"
        ? Buffer.concat([item as Buffer, POISON_BYTES])
        : item;
    };
    const old = value[name];
    if (old !== undefined) poisoned[name] = Array.isArray(old) ? old.map(one) : one(old);
  }
  return poisoned;
}

/** The values of environments and what else looks like one. */
function poisonedMemory(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1").replace(/=[ -~]{5}/g, "=\u001b\u009b\u0007\r\u00ff");
  return Buffer.from(text, "latin1");
}

/** A stream of the fixtures with poison in every text and in buffers that hold one; lengths stay where they are fixed. */
export function poisonedStream(name: string): Buffer {
  const image = new LinuxCrImage(new MemorySource(readFileSync(streamFixture(name)), name));
  const json = JSON.parse([...decodeStream(image)].join("")) as { records: StreamRecord[] };
  for (const record of json.records) poisonRecord(record);
  return Buffer.concat([...encodeStream(JSON.stringify(json), { name })]);
}

interface StreamRecord {
  text?: string;
  readonly textBytes?: number;
  data?: string;
}

function poisonRecord(record: StreamRecord): void {
  const { text, textBytes, data } = record;
  if (text !== undefined)
    record.text = textBytes === undefined ? text + POISON : bytesToText(cutTo(textBytes - 1));
  if (data === undefined) return;
  const bytes = Buffer.from(data, "base64");
  if (/^[ -~]{3,}\0*$/.test(bytes.toString("latin1"))) record.data = cutTo(bytes.length).toString("base64");
}

function cutTo(length: number): Buffer {
  return POISON_BYTES.subarray(0, Math.max(0, length));
}

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** Fails when what was written holds anything that a terminal would obey but line ends and, if allowed, colours. */
export function assertClean(written: Buffer, what: string, { colour = false } = {}): void {
  const text = bytesToText(written).replaceAll("\n", "");
  const found = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.exec(colour ? text.replace(COLOUR, "") : text);
  if (found === null) return;
  const around = text.slice(Math.max(0, found.index - 60), found.index + 40);
  assert.unreachable(`${what}: U+${found[0].codePointAt(0)?.toString(16)} in ${JSON.stringify(around)}`);
}

/** Text without crimg's colours. */
export function withoutColour(text: string): string {
  return text.replace(COLOUR, "");
}
