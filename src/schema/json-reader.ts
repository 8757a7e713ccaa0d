/** Invalid JSON, or JSON of an unexpected shape. `at` is a character offset. */
export class JsonError extends Error {
  constructor(
    text: string,
    readonly at: number,
  ) {
    super(text);
  }
}

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null" | "end";

/** Maximum nesting of skipped arrays and objects. */
const MAX_DEPTH = 1000;

const MAX_SAFE_DIGITS = 15;

/** Far more than any field has, and few enough to convert at once. */
const MAX_DIGITS = 64;

/**
 * Pull reader of JSON text (RFC 8259), so that a document of any length needs no memory besides its text. Integers are
 * exact: number up to 2^53 - 1, bigint above.
 *
 *     for (let more = json.open("{"); more; more = json.more("}")) { const key = json.key(); ... }
 */
export class JsonReader {
  pos = 0;

  constructor(readonly text: string) {}

  /** The type of the next value, without reading it. */
  kind(): JsonKind {
    const code = this.#peek();
    if (code === 0x22) return "string";
    if (code === 0x7b) return "object";
    if (code === 0x5b) return "array";
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return "number";
    if (code === 0x74 || code === 0x66) return "boolean";
    if (code === 0x6e) return "null";
    if (this.pos >= this.text.length) return "end";
    throw this.#unexpected("a value");
  }

  /** Enters an object or array; false if it is empty, and then already read. */
  open(bracket: "{" | "["): boolean {
    if (this.#peek() !== bracket.charCodeAt(0))
      throw this.#unexpected(bracket === "{" ? "an object" : "an array");
    this.pos++;
    // "]" and "}" are both two code points after their openers.
    if (this.#peek() !== bracket.charCodeAt(0) + 2) return true;
    this.pos++;
    return false;
  }

  /** After a member or element: whether another one follows; if false, leaves the object or array. */
  more(bracket: "}" | "]"): boolean {
    const code = this.#peek();
    if (code !== 0x2c && code !== bracket.charCodeAt(0)) throw this.#unexpected(`, or ${bracket}`);
    this.pos++;
    return code === 0x2c;
  }

  /** Reads the key of the next member and its colon. */
  key(): string {
    const key = this.string();
    if (this.#peek() !== 0x3a) throw this.#unexpected(":");
    this.pos++;
    return key;
  }

  /** A string. Lone surrogates are kept; io/text converts them to bytes that are not UTF-8. */
  string(): string {
    if (this.#peek() !== 0x22) throw this.#unexpected("a string");
    const { text } = this;
    const start = this.pos + 1;
    let hasEscapes = false;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.pos = at + 1;
        return hasEscapes ? this.#unescape(start - 1, at + 1) : text.slice(start, at);
      }
      if (code < 0x20) throw new JsonError("unescaped control character in a string", at);
      if (code === 0x5c) {
        hasEscapes = true;
        at++;
      }
    }
    throw new JsonError("unterminated string", start - 1);
  }

  /** An exact integer. Errors: JsonError for fractions and exponents, which a writer may have rounded. */
  integer(): number | bigint {
    const { text } = this;
    const start = this.#peek() === 0x2d ? this.pos + 1 : this.pos;
    let at = start;
    let value = 0;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === start) throw this.#unexpected("an integer");
    if (at > start + 1 && text.charCodeAt(start) === 0x30)
      throw new JsonError("leading zero in a number", start);
    if (/[.eE]/.test(text.charAt(at)))
      throw new JsonError("not an integer (possibly rounded by another tool)", this.pos);
    const isNegative = start > this.pos;
    const digits = at - start;
    const from = this.pos;
    this.pos = at;
    if (digits <= MAX_SAFE_DIGITS) return isNegative ? -value : value;
    if (digits > MAX_DIGITS)
      throw new JsonError(`number too long: ${digits} digits (expected at most ${MAX_DIGITS})`, from);
    const exact = BigInt(text.slice(from, at));
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  }

  boolean(): boolean {
    const value = this.#peek() === 0x74;
    this.#word(value ? "true" : "false");
    return value;
  }

  /** Skips one value. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH)
      throw new JsonError(`values are nested too deep (expected at most ${MAX_DEPTH} levels)`, this.pos);
    const kind = this.kind();
    if (kind === "string") this.string();
    else if (kind === "number") this.#skipNumber();
    else if (kind === "boolean") this.boolean();
    else if (kind === "null") this.#word("null");
    else if (kind === "array")
      for (let more = this.open("["); more; more = this.more("]")) this.skip(depth + 1);
    else if (kind === "object")
      for (let more = this.open("{"); more; more = this.more("}")) {
        this.key();
        this.skip(depth + 1);
      }
    else throw this.#unexpected("a value");
  }

  /** Expects only blanks up to the end. */
  end(): void {
    this.#peek();
    if (this.pos < this.text.length) throw this.#unexpected("the end of the text");
  }

  /** `line 3, column 14` of an offset, both from 1. */
  where(at: number): string {
    const before = this.text.slice(0, at);
    const line = before.split("\n").length;
    return `line ${line}, column ${at - before.lastIndexOf("\n")}`;
  }

  #peek(): number {
    const { text } = this;
    let code = text.charCodeAt(this.pos);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)
      code = text.charCodeAt(++this.pos);
    return code;
  }

  #skipNumber(): void {
    const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = this.pos;
    if (!number.test(this.text)) throw this.#unexpected("a number");
    this.pos = number.lastIndex;
  }

  #word(word: string): void {
    this.#peek();
    if (!this.text.startsWith(word, this.pos)) throw this.#unexpected(word);
    this.pos += word.length;
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.text.slice(start, end)) as string;
    } catch {
      throw new JsonError("invalid escape in a string", start);
    }
  }

  #unexpected(wanted: string): JsonError {
    const { text, pos } = this;
    const found = pos >= text.length ? "unexpected end" : `unexpected ${JSON.stringify(text.charAt(pos))}`;
    return new JsonError(`${found} (expected ${wanted})`, pos);
  }
}
