import { isAscii, isUtf8 } from "node:buffer";
import { FormatError } from "../../io/errors.js";
import { JsonError, JsonReader } from "../../schema/json-reader.js";

/**
 * Reads a JSON document. Errors: those of `read`; FormatError INVALID with line and column for invalid JSON.
 */
export function withJson<T>(text: string | Buffer, name: string, read: (json: JsonReader) => T): T {
  const json = new JsonReader(typeof text === "string" ? text : textOfJson(text, name));
  try {
    return read(json);
  } catch (error) {
    if (error instanceof JsonError)
      throw new FormatError("INVALID", `${error.message} (${json.where(error.at)})`, {
        file: name,
        cause: error,
      });
    throw error;
  }
}

/** The text of a JSON file. Errors: FormatError INVALID if it is not UTF-8. */
export function textOfJson(bytes: Buffer, file: string): string {
  if (isAscii(bytes)) return bytes.toString("latin1");
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new FormatError("INVALID", "not JSON: invalid UTF-8 (is it an encoded image?)", { file });
}
