import type { Dialect } from "../../formats/linux-cr/record-kind.js";
import { ARCHITECTURES, COMMITS } from "../../formats/linux-cr/revisions.js";
import type { ByteOrder } from "../../io/byte-order.js";
import { CrimgError, FormatError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import { ValueError } from "../../schema/encode.js";
import { base64FromJson } from "../../schema/from-json.js";
import type { JsonReader } from "../../schema/json-reader.js";
import { jsonObject, readJsonValue } from "../../schema/json-value.js";
import { STREAM_FORMAT } from "./decode-stream.js";
import { withJson } from "./json-text.js";
import { recordFromJson } from "./record-from-json.js";
import { StreamPieces } from "./stream-pieces.js";

export interface EncodeStreamOptions {
  /** Skip unknown keys instead of failing. */
  readonly lax?: boolean;
  /** Name of the JSON for messages. */
  readonly name?: string;
  /** The image with the pages. */
  readonly pagesFrom?: ByteSource | undefined;
}

interface Envelope {
  format?: string;
  byteOrder?: ByteOrder;
  dialect: { commit?: Dialect["commit"]; arch?: Dialect["arch"] };
}

/** Whether a document is that of a linux-cr stream, by its key format. Errors: FormatError for invalid JSON. */
export function isStreamJson(text: string | Buffer, name = "the JSON"): boolean {
  return withJson(text, name, (json) => {
    if (json.kind() !== "object") return false;
    for (let more = json.open("{"); more; more = json.more("}")) {
      const key = json.key();
      if (key === "format") return true;
      if (key === "magic") return false;
      json.skip();
    }
    return false;
  });
}

/**
 * A linux-cr stream from the JSON of `decodeStream`; unedited JSON gives the same bytes. Lengths of records are recomputed,
 * as are omitted fields that count a payload; other omitted fields are zero. Pieces are made only after the whole document
 * was read without error.
 * Errors: CrimgError INVALID with record and field for an invalid value, with line and column for invalid JSON.
 */
export function encodeStream(
  text: string | Buffer,
  { lax = false, name = "the JSON", pagesFrom }: EncodeStreamOptions = {},
): StreamPieces {
  return withJson(text, name, (json) => readDocument(json, new StreamPieces(pagesFrom), lax, name));
}

function readDocument(json: JsonReader, out: StreamPieces, lax: boolean, file: string): StreamPieces {
  const envelope: Envelope = { dialect: {} };
  const later = new Map<string, number>();
  const seen = new Set<string>();
  if (json.kind() !== "object")
    throw new FormatError("INVALID", "the JSON of a stream is not an object", { file });
  for (let more = json.open("{"); more; more = json.more("}")) {
    const key = json.key();
    if (seen.has(key)) throw new FormatError("INVALID", `duplicate key ${JSON.stringify(key)}`, { file });
    seen.add(key);
    if (key === "records" || key === "_rest") {
      later.set(key, json.pos);
      json.skip();
    } else readEnvelopeKey(envelope, key, json, lax, file);
  }
  json.end();
  const records = later.get("records");
  if (records === undefined) throw missing("records", "the list of records", file);
  const { byteOrder, dialect } = complete(envelope, file);
  json.pos = records;
  writeRecords(json, out, dialect, byteOrder, lax, file);
  const rest = later.get("_rest");
  if (rest !== undefined) {
    json.pos = rest;
    located("_rest", file, () => out.bytes(base64FromJson(json)));
  }
  return out;
}

function readEnvelopeKey(
  envelope: Envelope,
  key: string,
  json: JsonReader,
  lax: boolean,
  file: string,
): void {
  if (key !== "format" && key !== "byteOrder" && key !== "revision" && key !== "architecture") {
    if (!lax) throw new FormatError("INVALID", `unknown key ${JSON.stringify(key)} of the stream`, { file });
    json.skip();
    return;
  }
  if (json.kind() !== "string") throw new FormatError("INVALID", `${key} is not a string`, { file });
  const text = json.string();
  const oneOf = <T extends string>(choices: readonly T[]): T => {
    const choice = choices.find((each) => each === text);
    if (choice !== undefined) return choice;
    throw new FormatError(
      "INVALID",
      `invalid ${key} ${JSON.stringify(text)} (expected ${choices.join(", ")})`,
      { file },
    );
  };
  if (key === "format") envelope.format = oneOf([STREAM_FORMAT]);
  else if (key === "byteOrder") envelope.byteOrder = oneOf(["little-endian", "big-endian"]);
  else if (key === "revision") envelope.dialect.commit = oneOf(COMMITS);
  else {
    const architectures = Object.values(ARCHITECTURES);
    const name = oneOf(architectures.map((arch) => arch.name));
    envelope.dialect.arch = architectures.find((arch) => arch.name === name) as Dialect["arch"];
  }
}

function complete({ format, byteOrder, dialect: { commit, arch } }: Envelope, file: string) {
  if (format === undefined) throw missing("format", `${STREAM_FORMAT}`, file);
  if (byteOrder === undefined) throw missing("byteOrder", "little-endian or big-endian", file);
  if (commit === undefined) throw missing("revision", "the header set of the image", file);
  if (arch === undefined) throw missing("architecture", "the machine of the image", file);
  return { byteOrder, dialect: { commit, arch } };
}

function missing(key: string, what: string, file: string): FormatError {
  return new FormatError("MISSING", `missing key ${JSON.stringify(key)} (${what})`, { file });
}

function writeRecords(
  json: JsonReader,
  out: StreamPieces,
  dialect: Dialect,
  byteOrder: ByteOrder,
  lax: boolean,
  file: string,
): void {
  if (json.kind() !== "array") throw new FormatError("INVALID", "records is not a list", { file });
  let index = 0;
  for (let more = json.open("["); more; more = json.more("]")) {
    const path = `[${index++}]`;
    located(path, file, () =>
      recordFromJson(jsonObject(readJsonValue(json), "a record"), out, {
        ...{ dialect, byteOrder, lax, place: { file, path } },
      }),
    );
  }
}

/** Adds the location to errors of `read`. */
function located(path: string, file: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (error instanceof ValueError)
      throw new CrimgError("INVALID", error.message, { file, path: `${path}${error.path}` });
    throw error;
  }
}
