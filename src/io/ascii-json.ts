/**
 * JSON in ASCII: DEL and all characters beyond become `\u` escapes, which parse to the same text. So no control character
 * of 8 bits, no bidi override and no byte that is not UTF-8 (a lone surrogate, see text.ts) reaches a terminal.
 */
export function asciiJson(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Text as a JSON string in ASCII; every JSON of crimg is made of these. */
export function jsonString(text: string): string {
  return asciiJson(JSON.stringify(text));
}
