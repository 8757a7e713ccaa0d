import type { PayloadLength, PayloadRule } from "../../formats/criu/image-kind.js";
import { ValueError } from "../../schema/encode.js";
import { base64FromJson, inField, messageFromJson } from "../../schema/from-json.js";
import { parseBase64 } from "../../schema/json-bytes.js";
import { JsonError, JsonReader } from "../../schema/json-reader.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";
import type { ImageWriter } from "./image-writer.js";

/** The `extra` of a record, read before its length in the record is known. */
export interface Extra {
  /** One text, or the texts of an object by key. */
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

/** Reads the value of the key `extra`. Errors: ValueError if its shape does not match the kind. */
export function readExtra(rule: PayloadRule, json: JsonReader, lax: boolean): Extra {
  const kind = json.kind();
  if (kind === "string") return textExtra(rule, json.string());
  if (kind === "array" && rule.messages !== undefined)
    return { ...NONE, messages: readMessages(rule.messages, json, lax) };
  if (kind === "array" && rule.json === "u16") return { ...NONE, numbers: readNumbers(json) };
  if (kind === "object" && hasParts(rule)) return { ...NONE, texts: readTexts(json) };
  throw new ValueError(`invalid for this kind of image (expected ${shapeOf(rule)})`);
}

/**
 * Writes the payload of a record. Errors: ValueError if its length differs from that in the record, since nothing after it
 * could be read.
 */
export function writePayload(
  out: ImageWriter,
  rule: PayloadRule,
  record: AnyValue,
  extra: Extra = NONE,
  padding?: Buffer,
): void {
  if (rule.when?.(record) === false) {
    if (extra !== NONE && !isEmpty(extra))
      throw new ValueError("unexpected payload: its length in the record is 0");
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
  if (text.startsWith("... <")) throw new ValueError("the payload was omitted by decode --nopl");
  if (rule.json === "u16") return { ...NONE, numbers: text === "" ? [] : quotedNumbers(text) };
  if (text === "") return { ...NONE };
  if (rule.messages !== undefined || hasParts(rule))
    throw new ValueError(`found text (expected ${shapeOf(rule)})`);
  return { ...NONE, texts: new Map([["", parseBase64(text)]]) };
}

/** go-crit writes the list as a string. */
function quotedNumbers(text: string): number[] {
  try {
    return readNumbers(new JsonReader(text));
  } catch (error) {
    throw error instanceof JsonError ? new ValueError("not a list of numbers") : error;
  }
}

function readNumbers(json: JsonReader): number[] {
  const numbers: number[] = [];
  for (let more = json.open("["); more; more = json.more("]")) {
    const number = json.integer();
    if (typeof number === "bigint" || number < 0 || number > 0xffff)
      throw new ValueError(`invalid value ${number} (expected 0 to 65535)`).within(`[${numbers.length}]`);
    numbers.push(number);
  }
  return numbers;
}

function readTexts(json: JsonReader): Map<string, Buffer> {
  const texts = new Map<string, Buffer>();
  for (let more = json.open("{"); more; more = json.more("}")) {
    const key = json.key();
    if (texts.has(key)) throw new ValueError("duplicate key").within(key);
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
      if (kept[key] !== undefined) throw new ValueError("duplicate key").within(key);
      kept[key] = inField(key, () => base64FromJson(json));
      return true;
    },
  });
  if (!json.more("]")) throw new ValueError("the message is not followed by its data");
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
        throw new ValueError(`invalid value (expected ${shapeOf(rule)})`).within(key);
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
    throw new ValueError(`${messages.length} messages (expected ${record[count]}, by ${count})`).within(
      "extra",
    );
  for (const [index, { value, wire, padding, data }] of messages.entries()) {
    inField(`extra[${2 * index}]`, () => {
      out.message(table, value, wire);
      checkLength(data.length, lengthOf(length, value), "data");
    });
    out.bytes(data);
    pad(out, data.length, padTo, padding);
  }
}

/** Length of the payload in the record; undefined if it extends to the end of the image. */
function lengthOf(length: PayloadLength, record: AnyValue): number | undefined {
  return length === "rest" ? undefined : Number(record[length.field]) * (length.unit ?? 1);
}

function checkLength(found: number, claimed: number | undefined, part = "extra"): void {
  if (claimed === undefined || found === claimed) return;
  throw new ValueError(`payload of ${found} bytes (expected ${claimed}, by the record)`).within(part);
}

function pad(out: ImageWriter, size: number, padTo: number | undefined, padding: Buffer | undefined): void {
  const needed = padTo === undefined ? 0 : (padTo - (size % padTo)) % padTo;
  if (padding !== undefined && padding.length !== needed)
    throw new ValueError(`${padding.length} bytes (expected ${needed})`).within("_padding");
  out.bytes(padding ?? Buffer.alloc(needed));
}
