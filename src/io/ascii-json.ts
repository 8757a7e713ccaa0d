/**
 * JSON in ASCII: DEL and all characters above become `\u` escapes, which parse to the same text. So no C1 control
 * character, bidi override or byte that is not UTF-8 (a lone surrogate, see text.ts) reaches a terminal.
 */
export function asciiJson(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Text as a JSON string in ASCII; all JSON output uses it. */
export function jsonString(text: string): string {
  return asciiJson(JSON.stringify(text));
}
