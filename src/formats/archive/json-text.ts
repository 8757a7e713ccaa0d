import type { ByteSource } from "../../io/source.js";
import type { Splice } from "../../io/splice.js";
import { at, type Json, readJson } from "./json.js";

/** Keys and indices from the root to a value. */
export type JsonPath = readonly (string | number)[];

/** A text or number in a JSON file. */
export interface Scalar {
  readonly path: JsonPath;
  readonly value: string | number;
}

interface Found extends Scalar {
  readonly start: number;
  readonly end: number;
}

/** A JSON file of which single texts and numbers are changed, and no other byte: not even how numbers are written. */
export class JsonText {
  readonly #text: string;
  readonly #root: Json;
  readonly #scalars: Found[];
  readonly #changed = new Map<Found, string | number>();
  readonly #behind = new Map<Found, string>();

  /** Keeps the scalars whose path is wanted. Errors: FormatError INVALID or TOO_LARGE. */
  constructor(
    readonly source: ByteSource,
    wants: (path: JsonPath) => boolean,
  ) {
    this.#root = readJson(source);
    this.#text = source.read(0, source.size).toString("latin1");
    this.#scalars = [];
    for (const found of scalarsIn(this.#text)) if (wants(found.path)) this.#scalars.push(found);
  }

  /** The wanted scalars as they are by now. */
  scalars(): Scalar[] {
    return this.#scalars.map((found) => ({
      path: found.path,
      value: this.#changed.get(found) ?? found.value,
    }));
  }

  /** What stands beside a scalar in the same object, as in the file. */
  beside({ path }: Scalar, key: string): Json {
    return at(this.#root, ...path.slice(0, -1).map(String), key);
  }

  /** Gives all scalars of that path, of which a damaged file may have several, another value. */
  set(path: JsonPath, value: string | number): void {
    for (const found of this.#scalars)
      if (found.path.length === path.length && found.path.every((key, i) => key === path[i]))
        this.#changed.set(found, value);
  }

  /** Puts further members behind a scalar into its object; whether the scalar is there. */
  addBehind(path: JsonPath, members: Readonly<Record<string, string>>): boolean {
    const found = this.#scalars.find(
      (each) => each.path.length === path.length && each.path.every((key, i) => key === path[i]),
    );
    const texts = Object.entries(members).map(
      (member) => `,${member.map((text) => JSON.stringify(text)).join(":")}`,
    );
    if (found !== undefined) this.#behind.set(found, texts.join(""));
    return found !== undefined;
  }

  /** The bytes to change, in ascending order. */
  splices(): Splice[] {
    return this.#scalars.flatMap((found): Splice[] => {
      const { start, end } = found;
      const value = this.#changed.get(found) ?? found.value;
      const behind = this.#behind.get(found) ?? "";
      if (value !== found.value)
        return [{ offset: start, size: end - start, bytes: Buffer.from(JSON.stringify(value) + behind) }];
      return behind === "" ? [] : [{ offset: end, size: 0, bytes: Buffer.from(behind) }];
    });
  }
}

interface Level {
  /** The key of the value that stands next; of a list its index. */
  key: string | number;
  /** Whether the next text is a key. */
  isKey: boolean;
}

/** No file of an engine has a fact deeper than this. */
const MAX_DEPTH = 16;

/** The texts and numbers of a JSON text, which is known to be valid, with where they stand. Bytes are characters of it. */
function* scalarsIn(text: string): Generator<Found> {
  const levels: Level[] = [];
  const isDeep = (): boolean => levels.length > MAX_DEPTH;
  const path = (): JsonPath => levels.map(({ key }) => key);
  for (let at = 0; at < text.length; ) {
    const first = text[at] as string;
    const top = levels.at(-1);
    if (first === "{" || first === "[") levels.push({ key: first === "{" ? "" : 0, isKey: first === "{" });
    else if (first === "}" || first === "]") levels.pop();
    else if (first === "," && top !== undefined) {
      if (typeof top.key === "number") top.key++;
      else top.isKey = true;
    } else if (first === '"') {
      const end = endOfText(text, at);
      const value = decoded(text.slice(at, end));
      if (top?.isKey === true) {
        top.key = value;
        top.isKey = false;
      } else if (!isDeep()) yield { path: path(), value, start: at, end };
      at = end;
      continue;
    } else if (/[-\d]/.test(first)) {
      const end = endOfNumber(text, at);
      if (!isDeep()) yield { path: path(), value: Number(text.slice(at, end)), start: at, end };
      at = end;
      continue;
    }
    at++;
  }
}

/** Offset behind the closing quotation mark: the first that an even number of backslashes precedes. */
function endOfText(text: string, start: number): number {
  for (let end = start + 1; ; end++) {
    end = text.indexOf('"', end);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function endOfNumber(text: string, start: number): number {
  let end = start;
  while (end < text.length && /[-+.\deE]/.test(text[end] as string)) end++;
  return end;
}

function decoded(token: string): string {
  return JSON.parse(Buffer.from(token, "latin1").toString("utf8")) as string;
}
