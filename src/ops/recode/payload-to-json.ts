import type { ImageHeader } from "../../formats/criu/detect.js";
import type { CriuImage, PayloadRange } from "../../formats/criu/image.js";
import type { ImageKind, PayloadRule } from "../../formats/criu/image-kind.js";
import { isCanonical } from "../../schema/canonical.js";
import { BASE64_LINE_BYTES, base64Lines } from "../../schema/json-bytes.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";
import { bracketed, messageMembers } from "../../schema/to-json.js";

/** Payloads are read in pieces of whole base64 lines. */
const PIECE = BASE64_LINE_BYTES * 1024;

/** The payload rule for records of that message in images of that kind. */
export function payloadRule(kind: ImageKind, table: MessageTable): PayloadRule | undefined {
  return kind.payload.find((rule) => rule.after === table);
}

/** The `extra` of a record in the shape of crit for the kind, in pieces: payloads may exceed memory. */
export function* payloadPieces(
  image: CriuImage,
  header: ImageHeader,
  rule: PayloadRule,
  payload: readonly PayloadRange[],
  indent: string,
): Generator<string> {
  if (rule.messages !== undefined) yield* messagePieces(image, payload, indent);
  else if (rule.json === "u16") yield numbersText(image, header, payload, indent);
  else if (rule.json === "joined" || payload.length <= 1) yield* textPieces(image, payload);
  else yield* partsPieces(image, payload, indent);
}

/** Nonzero padding, which crit loses. */
export function paddingMember(
  image: CriuImage,
  rule: PayloadRule,
  payload: readonly PayloadRange[],
): string[] {
  const padded = rule.messages === undefined ? payload.find((range) => range.padding > 0) : undefined;
  return padded === undefined ? [] : paddingOf(image, padded);
}

/** `... <1.5KB>`, the replacement of a payload with `--nopl`; like crit, by the length in the record. */
export function payloadSizeNote(
  rule: PayloadRule,
  value: AnyValue,
  payload: readonly PayloadRange[],
): string {
  const size = (rule.parts ?? []).reduce(
    (sum, { length }) => sum + (length === "rest" ? 0 : Number(value[length.field]) * (length.unit ?? 1)),
    payload.reduce((sum, range) => sum + (rule.messages === undefined ? 0 : range.size), 0),
  );
  return `... <${humanSize(size)}>`;
}

export function humanSize(bytes: number): string {
  const units = ["", "K", "M", "G", "T", "P", "E", "Z"];
  let size = bytes;
  for (const unit of units) {
    if (size < 1024) return `${Number.isInteger(size) ? size : oneDigit(size)}${unit}B`;
    size /= 1024;
  }
  return `${oneDigit(size)}YB`;
}

/** Like %.1f in C, which rounds half to even. */
function oneDigit(value: number): string {
  const tenths = Math.floor(value * 10);
  const rest = value * 10 - tenths;
  const rounded = rest > 0.5 || (rest === 0.5 && tenths % 2 === 1) ? tenths + 1 : tenths;
  return `${Math.floor(rounded / 10)}.${rounded % 10}`;
}

/** All ranges as one base64 string. */
function* textPieces(image: CriuImage, payload: readonly PayloadRange[]): Generator<string> {
  const start = payload[0]?.offset ?? 0;
  const size = payload.reduce((sum, range) => sum + range.size, 0);
  yield '"';
  for (let done = 0; done < size; done += PIECE)
    yield base64Lines(image.source.read(start + done, Math.min(PIECE, size - done)));
  yield '"';
}

function* partsPieces(image: CriuImage, payload: readonly PayloadRange[], indent: string): Generator<string> {
  const inner = indent === "" ? "" : `${indent}    `;
  let before = `{${inner}`;
  for (const range of payload) {
    yield `${before}"${range.name}": `;
    yield* textPieces(image, [range]);
    before = `,${inner || " "}`;
  }
  yield `${indent}}`;
}

function numbersText(
  image: CriuImage,
  { byteOrder }: ImageHeader,
  payload: readonly PayloadRange[],
  indent: string,
): string {
  const numbers: string[] = [];
  for (const { offset, size } of payload) {
    const bytes = image.source.read(offset, size);
    for (let at = 0; at < size; at += 2)
      numbers.push(String(byteOrder === "little-endian" ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)));
  }
  return bracketed(numbers, "[]", indent);
}

/** Each message as an object, followed by its data as a string; crit never pretty-prints these messages. */
function* messagePieces(
  image: CriuImage,
  payload: readonly PayloadRange[],
  indent: string,
): Generator<string> {
  const inner = indent === "" ? "" : `${indent}    `;
  let before = `[${inner}`;
  for (const [index, { message }] of payload.entries()) {
    const data = payload[index + 1];
    if (message === undefined || data === undefined) continue;
    const { table, value, bytes } = message;
    const members = messageMembers(table, value, { pretty: false }, inner);
    if (!isCanonical(table, value, bytes)) members.push(`"_wire": "${base64Lines(bytes)}"`);
    members.push(...paddingOf(image, data));
    yield before + bracketed(members, "{}", inner);
    before = `,${inner || " "}`;
    yield before;
    yield* textPieces(image, [data]);
  }
  yield payload.length === 0 ? "[]" : `${indent}]`;
}

function paddingOf(image: CriuImage, { offset, size, padding }: PayloadRange): string[] {
  const bytes = image.source.read(offset + size, padding);
  return bytes.every((byte) => byte === 0) ? [] : [`"_padding": "${base64Lines(bytes)}"`];
}
