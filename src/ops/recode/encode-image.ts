import { HEAD_MAGICS, kindOfMagicName } from "../../formats/criu/detect.js";
import { tableOf } from "../../formats/criu/image.js";
import type { ImageKind, PayloadRule } from "../../formats/criu/image-kind.js";
import { FormatError } from "../../io/errors.js";
import { toCrimgError, ValueError } from "../../schema/encode.js";
import { base64FromJson, inField, messageFromJson } from "../../schema/from-json.js";
import type { JsonReader } from "../../schema/json-reader.js";
import type { MessageTable } from "../../schema/message.js";
import { ImageWriter } from "./image-writer.js";
import { withJson } from "./json-text.js";
import { type Extra, readExtra, writePayload } from "./payload-from-json.js";
import { payloadRule } from "./payload-to-json.js";

export interface EncodeOptions {
  /** Skip unknown keys instead of failing. */
  readonly lax?: boolean;
  /** Name of the JSON for messages. */
  readonly name?: string;
}

/** Members beside the entries. */
interface Envelope {
  kind?: ImageKind;
  byteOrder: "little-endian" | "big-endian";
  head?: ImageKind["head"];
}

/**
 * An image from JSON of `decodeImage`, crit (plain or pretty) or go-crit. Unedited JSON of `decodeImage` gives the same
 * bytes; with `_wire`, editing a field changes only that field.
 * Errors: CrimgError INVALID with record and field for an invalid value, with line and column for invalid JSON.
 */
export function encodeImage(
  text: string | Buffer,
  { lax = false, name = "the JSON" }: EncodeOptions = {},
): Buffer {
  return withJson(text, name, (json) => readDocument(json, lax, name));
}

function readDocument(json: JsonReader, lax: boolean, name: string): Buffer {
  const envelope: Envelope = { byteOrder: "little-endian" };
  const seen = new Set<string>();
  let entries: number | undefined;
  let image: Buffer | undefined;
  if (json.kind() !== "object")
    throw new FormatError(
      "INVALID",
      'the JSON of an image is not an object (expected {"magic": ..., "entries": [...]})',
      {
        file: name,
      },
    );
  for (let more = json.open("{"); more; more = json.more("}")) {
    const key = json.key();
    if (seen.has(key))
      throw new FormatError("INVALID", `duplicate key ${JSON.stringify(key)}`, { file: name });
    seen.add(key);
    if (key !== "entries") readEnvelopeKey(envelope, key, json, lax, name);
    else if (envelope.kind === undefined) {
      entries = json.pos;
      json.skip();
    } else image = writeImage(envelope, json, lax, name);
  }
  json.end();
  if (envelope.kind === undefined)
    throw new FormatError("MISSING", 'missing key "magic" (the kind of image)', {
      file: name,
    });
  if (image === undefined) {
    if (entries === undefined)
      throw new FormatError("MISSING", 'missing key "entries" (the list of records)', { file: name });
    json.pos = entries;
    image = writeImage(envelope, json, lax, name);
  }
  return image;
}

function readEnvelopeKey(
  envelope: Envelope,
  key: string,
  json: JsonReader,
  lax: boolean,
  file: string,
): void {
  if (key !== "magic" && key !== "_byte_order" && key !== "_head") {
    if (!lax)
      throw new FormatError("INVALID", `unknown key ${JSON.stringify(key)} (expected magic and entries)`, {
        file,
      });
    json.skip();
    return;
  }
  if (json.kind() !== "string") throw new FormatError("INVALID", `${key} is not a string`, { file });
  const text = json.string();
  const refuse = (expected: string) =>
    new FormatError("INVALID", `invalid ${key} ${JSON.stringify(text)} (expected ${expected})`, { file });
  if (key === "magic") {
    const kind = kindOfMagicName(text);
    if (kind === undefined) throw refuse("a name such as FILES");
    envelope.kind = kind;
  } else if (key === "_head") {
    if (text !== "none" && text !== "common" && text !== "service") throw refuse("none, common or service");
    envelope.head = text;
  } else {
    if (text !== "little-endian" && text !== "big-endian") throw refuse("little-endian or big-endian");
    envelope.byteOrder = text;
  }
}

function writeImage(envelope: Envelope, json: JsonReader, lax: boolean, name: string): Buffer {
  const kind = envelope.kind as ImageKind;
  const out = new ImageWriter(envelope.byteOrder);
  const head = envelope.head ?? kind.head;
  if (head !== "none") out.word(HEAD_MAGICS[head]);
  out.word(kind.magic as number);
  if (json.kind() !== "array") throw new FormatError("INVALID", "entries is not a list", { file: name });
  let index = 0;
  for (let more = json.open("["); more; more = json.more("]")) {
    const table = tableOf(kind, index);
    try {
      writeRecord(out, kind, table, json, lax);
    } catch (error) {
      if (error instanceof ValueError) throw toCrimgError(error, table, { file: name, path: `[${index}]` });
      throw error;
    }
    index++;
  }
  return out.take();
}

function writeRecord(
  out: ImageWriter,
  kind: ImageKind,
  table: MessageTable,
  json: JsonReader,
  lax: boolean,
): void {
  const rule = payloadRule(kind, table);
  let extra: Extra | undefined;
  const kept: { _wire?: Buffer; _padding?: Buffer } = {};
  const value = messageFromJson(table, json, {
    lax,
    otherKey: (key) => {
      const isKept = key === "_wire" || (key === "_padding" && rule !== undefined);
      if (!isKept && (key !== "extra" || rule === undefined)) return false;
      inField(key, () => {
        if ((isKept ? kept[key] : extra) !== undefined) throw new ValueError("duplicate key");
        if (isKept) kept[key] = base64FromJson(json);
        else extra = readExtra(rule as PayloadRule, json, lax);
      });
      return true;
    },
  });
  out.message(table, value, kept._wire);
  if (rule !== undefined) writePayload(out, rule, value, extra, kept._padding);
}
