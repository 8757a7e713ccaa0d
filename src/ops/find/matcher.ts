import { boundedTest } from "../../io/bounded-regexp.js";
import { UsageError } from "../../io/errors.js";
import { parseAddress } from "../../schema/ip-address.js";

export interface FindOptions {
  /** The text alone, also when it looks like a number or an address. */
  readonly fixed?: boolean;
  /** A regular expression of JavaScript, tried on texts, names, addresses and numbers (decimal and hexadecimal). */
  readonly regex?: boolean;
  readonly ignoreCase?: boolean;
}

/** What is looked for, as a question to each sort of value. */
export interface Matcher {
  /** Part of a string or of bytes read as text. */
  text(value: string): boolean;
  /** The whole name of an enum value or flag. */
  name(value: string): boolean;
  number(value: number | bigint): boolean;
  address(words: readonly number[], text: string): boolean;
}

/** Errors: UsageError for an empty text or a regular expression that is none. */
export function matcherOf(text: string, { fixed, regex, ignoreCase }: FindOptions): Matcher {
  if (fixed === true && regex === true)
    throw new UsageError("a fixed text and a regular expression exclude each other");
  if (text === "") throw new UsageError("name a text to look for that is not empty");
  if (regex === true) return regexMatcher(text, ignoreCase === true);
  const fold = ignoreCase === true ? (value: string) => value.toLowerCase() : (value: string) => value;
  const wanted = fold(text);
  const number = fixed !== true && /^(?:-?\d{1,20}|0x[0-9a-f]{1,16})$/i.test(text) ? BigInt(text) : undefined;
  const address = fixed === true ? undefined : parseAddress(text)?.join();
  return {
    text: (value) => fold(value).includes(wanted),
    name: (value) => fold(value) === wanted,
    number: (value) => number !== undefined && BigInt(value) === number,
    address: (words, shown) => words.join() === address || (fixed === true && shown.includes(wanted)),
  };
}

function regexMatcher(source: string, ignoreCase: boolean): Matcher {
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, ignoreCase ? "i" : "");
  } catch (error) {
    throw new UsageError(`no regular expression: ${(error as Error).message}`);
  }
  const test = boundedTest(pattern);
  return {
    text: test,
    name: test,
    number: (value) => pattern.test(String(value)) || pattern.test(`0x${value.toString(16)}`),
    address: (_, shown) => test(shown),
  };
}
