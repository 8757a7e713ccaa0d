import type { PayloadLength, PayloadRule } from "../../formats/criu/image-kind.js";
import { ValueError } from "../../schema/encode.js";
import { base64FromJson, inField, messageFromJson } from "../../schema/from-json.js";
import { parseBase64 } from "../../schema/json-bytes.js";
import { JsonError, JsonReader } from "../../schema/json-reader.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";
import type { ImageWriter } from "./image-writer.js";

/** The `extra` of a record, read before it is known how long the record says that it is. */
export interface Extra {
  /** One text, or the texts of an object by their keys. */
  readonly texts: ReadonlyMap<string, Buffer>;
  readonly numbers: readonly number[];
  readonly messages: readonly FramedMessage[];
}

interface FramedMessage {
  readonly value: AnyValue;
  readonly wire: Buffer | undefined;
  readonly padding: Buffer | undefined;
  readonly data: Buffer;
}

const NONE: Extra = { texts: new Map(), numbers: [], messages: [] };
const NO_BYTES = Buffer.alloc(0);

/** Reads the value of the key `extra`. Errors: ValueError for another shape than the kind's. */
export function readExtra(rule: PayloadRule, json: JsonReader, lax: boolean): Extra {
  const kind = json.kind();
  if (kind === "string") return textExtra(rule, json.string());
  if (kind === "array" && rule.messages !== undefined)
    return { ...NONE, messages: readMessages(rule.messages, json, lax) };
  if (kind === "array" && rule.json === "u16") return { ...NONE, numbers: readNumbers(json) };
  if (kind === "object" && hasParts(rule)) return { ...NONE, texts: readTexts(json) };
  throw new ValueError(`not the shape that it has in this kind of image: ${shapeOf(rule)} was expected`);
}

/**
 * Writes what stands behind a record. Errors: ValueError when the payload does not have the length that the record
 * says, since nothing behind it could be read then.
 */
export function writePayload(
  out: ImageWriter,
  rule: PayloadRule,
  record: AnyValue,
  extra: Extra = NONE,
  padding?: Buffer,
): void {
  if (rule.when?.(record) === false) {
    if (extra !== NONE && !isEmpty(extra)) throw new ValueError("the record says that no bytes follow it");
    return;
  }
  if (rule.messages === undefined) writeParts(out, rule, record, extra, padding);
  else writeMessages(out, rule.messages, record, extra.messages);
}

function hasParts({ parts = [], json }: PayloadRule): boolean {
  return parts.length > 1 && json !== "joined";
}

function shapeOf(rule: PayloadRule): string {
  if (rule.messages !== undefined) return "a list of messages, each followed by its data";
  if (rule.json === "u16") return "a list of numbers";
  const names = (rule.parts ?? []).map(({ name }) => name);
  return hasParts(rule) ? `an object with ${names.join(", ")}` : "text in base64";
}

function isEmpty({ texts, numbers, messages }: Extra): boolean {
  return numbers.length + messages.length === 0 && [...texts.values()].every((bytes) => bytes.length === 0);
}

function textExtra(rule: PayloadRule, text: string): Extra {
  if (text.startsWith("... <"))
    throw new ValueError("the payload was left out when this was decoded (--nopl)");
  if (rule.json === "u16") return { ...NONE, numbers: text === "" ? [] : quotedNumbers(text) };
  if (text === "") return { ...NONE };
  if (rule.messages !== undefined || hasParts(rule))
    throw new ValueError(`text found, ${shapeOf(rule)} was expected`);
  return { ...NONE, texts: new Map([["", parseBase64(text)]]) };
}

/** go-crit gives the list as a text. */
function quotedNumbers(text: string): number[] {
  try {
    return readNumbers(new JsonReader(text));
  } catch (error) {
    throw error instanceof JsonError ? new ValueError("a list of numbers was expected") : error;
  }
}

function readNumbers(json: JsonReader): number[] {
  const numbers: number[] = [];
  for (let more = json.open("["); more; more = json.more("]")) {
    const number = json.integer();
    if (typeof number === "bigint" || number < 0 || number > 0xffff)
      throw new ValueError(`the value ${number}, an integer from 0 to 65535 was expected`).within(
        `[${numbers.length}]`,
      );
    numbers.push(number);
  }
  return numbers;
}

function readTexts(json: JsonReader): Map<string, Buffer> {
  const texts = new Map<string, Buffer>();
  for (let more = json.open("{"); more; more = json.more("}")) {
    const key = json.key();
    if (texts.has(key)) throw new ValueError("the key occurs twice").within(key);
    texts.set(key, base64FromJson(json));
  }
  return texts;
}

function readMessages(
  { table }: NonNullable<PayloadRule["messages"]>,
  json: JsonReader,
  lax: boolean,
): FramedMessage[] {
  const messages: FramedMessage[] = [];
  for (let more = json.open("["); more; more = json.more("]")) {
    messages.push(inField(`[${2 * messages.length}]`, () => readMessage(table, json, lax)));
  }
  return messages;
}

function readMessage(table: MessageTable, json: JsonReader, lax: boolean): FramedMessage {
  const kept: { _wire?: Buffer; _padding?: Buffer } = {};
  const value = messageFromJson(table, json, {
    lax,
    otherKey: (key) => {
      if (key !== "_wire" && key !== "_padding") return false;
      if (kept[key] !== undefined) throw new ValueError("the key occurs twice").within(key);
      kept[key] = inField(key, () => base64FromJson(json));
      return true;
    },
  });
  if (!json.more("]")) throw new ValueError("the message has no data behind it");
  return { value, wire: kept._wire, padding: kept._padding, data: base64FromJson(json) };
}

function writeParts(
  out: ImageWriter,
  rule: PayloadRule,
  record: AnyValue,
  extra: Extra,
  padding: Buffer | undefined,
): void {
  const parts = rule.parts ?? [];
  const lengths = parts.map(({ length }) => lengthOf(length, record));
  const claimed = lengths.includes(undefined)
    ? undefined
    : lengths.reduce((sum: number, n) => sum + Number(n), 0);
  if (rule.json === "u16") {
    checkLength(2 * extra.numbers.length, claimed);
    for (const number of extra.numbers) out.half(number);
  } else if (hasParts(rule)) {
    for (const key of extra.texts.keys())
      if (!parts.some(({ name }) => name === key))
        throw new ValueError(`${shapeOf(rule)} was expected`).within(key);
    for (const [i, { name }] of parts.entries()) {
      const bytes = extra.texts.get(name) ?? NO_BYTES;
      checkLength(bytes.length, lengths[i], `extra.${name}`);
      out.bytes(bytes);
    }
  } else {
    const bytes = extra.texts.get("") ?? NO_BYTES;
    checkLength(bytes.length, claimed);
    out.bytes(bytes);
  }
  pad(out, claimed ?? 0, parts.at(-1)?.padTo, padding);
}

function writeMessages(
  out: ImageWriter,
  { table, count, length, padTo }: NonNullable<PayloadRule["messages"]>,
  record: AnyValue,
  messages: readonly FramedMessage[],
): void {
  if (messages.length !== Number(record[count]))
    throw new ValueError(`${messages.length} messages, but ${count} says ${record[count]}`).within("extra");
  for (const [index, { value, wire, padding, data }] of messages.entries()) {
    inField(`extra[${2 * index}]`, () => {
      out.message(table, value, wire);
      checkLength(data.length, lengthOf(length, value), "data");
    });
    out.bytes(data);
    pad(out, data.length, padTo, padding);
  }
}

/** Bytes that the record claims; undefined when the payload goes on to the end of the image. */
function lengthOf(length: PayloadLength, record: AnyValue): number | undefined {
  return length === "rest" ? undefined : Number(record[length.field]) * (length.unit ?? 1);
}

function checkLength(found: number, claimed: number | undefined, part = "extra"): void {
  if (claimed === undefined || found === claimed) return;
  throw new ValueError(`${found} bytes of payload, but the record says ${claimed}`).within(part);
}

function pad(out: ImageWriter, size: number, padTo: number | undefined, padding: Buffer | undefined): void {
  const needed = padTo === undefined ? 0 : (padTo - (size % padTo)) % padTo;
  if (padding !== undefined && padding.length !== needed)
    throw new ValueError(`${padding.length} bytes, but ${needed} are needed here`).within("_padding");
  out.bytes(padding ?? Buffer.alloc(needed));
}
