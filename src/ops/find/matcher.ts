import { boundedTest } from "../../io/bounded-regexp.js";
import { UsageError } from "../../io/errors.js";
import { parseAddress } from "../../schema/ip-address.js";

export interface FindOptions {
  /** Match only as text, even if it looks like a number or an address. */
  readonly fixed?: boolean;
  /** A JavaScript regular expression, matched against texts, names, addresses and numbers (decimal and hexadecimal). */
  readonly regex?: boolean;
  readonly ignoreCase?: boolean;
}

/** The search, as a predicate for each type of value. */
export interface Matcher {
  /** Part of a string or of bytes read as text. */
  text(value: string): boolean;
  /** The whole name of an enum value or flag. */
  name(value: string): boolean;
  number(value: number | bigint): boolean;
  address(words: readonly number[], text: string): boolean;
}

/** Errors: UsageError for an empty text or an invalid regular expression. */
export function matcherOf(text: string, { fixed, regex, ignoreCase }: FindOptions): Matcher {
  if (fixed === true && regex === true)
    throw new UsageError("the options fixed and regex are mutually exclusive");
  if (text === "") throw new UsageError("empty search text");
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
    throw new UsageError(`invalid regular expression: ${(error as Error).message}`);
  }
  const test = boundedTest(pattern);
  return {
    text: test,
    name: test,
    number: (value) => pattern.test(String(value)) || pattern.test(`0x${value.toString(16)}`),
    address: (_, shown) => test(shown),
  };
}
