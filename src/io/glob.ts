import { UsageError } from "./errors.js";

/** PATH_MAX of Linux. */
const MAX_PATTERN_CHARACTERS = 4096;

/**
 * A pattern for paths: `*` any text without a slash, `**` any text, `?` one character except a slash, `[a-z]` `[!a]` one
 * of a set, `{a,b}` either, `\x` the character itself. A pattern without a slash, such as `*.log`, is matched against the
 * last component. Time is at most the product of the two lengths. Errors: USAGE.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const program = new Program(pattern);
  if (!pattern.includes("/")) return (path) => program.matches(path.slice(path.lastIndexOf("/") + 1));
  return (path) => program.matches(path);
}

/** Consumes a character of this set, or nothing; then continues at one of `next`. */
interface Step {
  readonly takes: ((char: string) => boolean) | undefined;
  readonly next: number[];
}

/** An alternative in braces being parsed. */
interface Group {
  readonly start: Step;
  readonly ends: Step[];
}

const isNoSlash = (char: string): boolean => char !== "/";
const isAny = (): boolean => true;

/** A pattern as a nondeterministic automaton, simulated without backtracking. */
class Program {
  readonly #steps: Step[] = [];
  readonly #groups: Group[] = [];

  constructor(readonly pattern: string) {
    const chars = [...pattern];
    if (chars.length > MAX_PATTERN_CHARACTERS)
      throw new UsageError(
        `pattern too long: ${chars.length} characters (expected at most ${MAX_PATTERN_CHARACTERS})`,
      );
    for (let at = 0; at < chars.length; ) at = this.#read(chars, at);
    while (this.#groups.length > 0) this.#closeGroup();
  }

  matches(path: string): boolean {
    let now = this.#reached([0]);
    for (const char of path) {
      const next: number[] = [];
      for (const at of now) if (this.#steps[at]?.takes?.(char)) next.push(...(this.#steps[at] as Step).next);
      if (next.length === 0) return false;
      now = this.#reached(next);
    }
    return now.has(this.#steps.length);
  }

  /** These steps and those reachable from them without a character. */
  #reached(from: number[]): Set<number> {
    const reached = new Set<number>();
    for (let at = from.pop(); at !== undefined; at = from.pop()) {
      if (reached.has(at)) continue;
      reached.add(at);
      const step = this.#steps[at];
      if (step !== undefined && step.takes === undefined) from.push(...step.next);
    }
    return reached;
  }

  /** Parses one element of the pattern; returns the position after it. */
  #read(chars: readonly string[], at: number): number {
    const char = chars[at] as string;
    if (char === "*") return this.#readStars(chars, at);
    if (char === "?") this.#take(isNoSlash);
    else if (char === "\\" && at + 1 < chars.length) {
      this.#takeOnly(chars[at + 1] as string);
      return at + 2;
    } else if (char === "[") return this.#readSet(chars, at);
    else if (char === "{" && chars.includes("}", at)) this.#groups.push({ start: this.#goTo(), ends: [] });
    else if (char === "}" && this.#groups.length > 0) this.#closeGroup();
    else if (char === "," && this.#groups.length > 0) this.#nextAlternative();
    else this.#takeOnly(char);
    return at + 1;
  }

  /** Between two slashes `**` also matches nothing: /a/**\/b matches /a/b. */
  #readStars(chars: readonly string[], at: number): number {
    if (chars[at + 1] !== "*") {
      this.#repeat(isNoSlash);
      return at + 1;
    }
    if (chars[at + 2] !== "/" || chars[at - 1] !== "/") {
      this.#repeat(isAny);
      return at + 2;
    }
    const skip = this.#goTo();
    this.#repeat(isAny);
    this.#takeOnly("/");
    skip.next.push(this.#steps.length);
    return at + 3;
  }

  #readSet(chars: readonly string[], at: number): number {
    const isNegated = chars[at + 1] === "!" || chars[at + 1] === "^";
    const start = at + (isNegated ? 2 : 1);
    const end = chars.indexOf("]", start + 1);
    if (end === -1) {
      this.#takeOnly("[");
      return at + 1;
    }
    const ranges = this.#ranges(chars.slice(start, end));
    const isIn = (char: string): boolean => ranges.some(([low, high]) => inRange(char, low, high));
    this.#take((char) => isNoSlash(char) && isIn(char) !== isNegated);
    return end + 1;
  }

  #ranges(chars: readonly string[]): [low: string, high: string][] {
    const ranges: [string, string][] = [];
    for (let at = 0; at < chars.length; at++) {
      const low = chars[at] as string;
      const high = chars[at + 1] === "-" ? chars[at + 2] : undefined;
      ranges.push([low, high ?? low]);
      if (high === undefined) continue;
      if (codeOf(high) < codeOf(low))
        throw new UsageError(`invalid pattern ${JSON.stringify(this.pattern)}: descending range in []`);
      at += 2;
    }
    return ranges;
  }

  #takeOnly(wanted: string): void {
    this.#take((char) => char === wanted);
  }

  #take(takes: (char: string) => boolean): void {
    this.#steps.push({ takes, next: [this.#steps.length + 1] });
  }

  #repeat(takes: (char: string) => boolean): void {
    const again = this.#steps.length;
    this.#goTo().next.push(again + 2);
    this.#steps.push({ takes, next: [again] });
  }

  /** A step without a character to the next one, and to those added to it. */
  #goTo(): Step {
    const step: Step = { takes: undefined, next: [this.#steps.length + 1] };
    this.#steps.push(step);
    return step;
  }

  /** The end of an alternative continues after the closing brace. */
  #nextAlternative(): void {
    const { start, ends } = this.#groups.at(-1) as Group;
    const end: Step = { takes: undefined, next: [] };
    this.#steps.push(end);
    ends.push(end);
    start.next.push(this.#steps.length);
  }

  #closeGroup(): void {
    for (const end of this.#groups.pop()?.ends ?? []) end.next.push(this.#steps.length);
  }
}

function inRange(char: string, low: string, high: string): boolean {
  return codeOf(low) <= codeOf(char) && codeOf(char) <= codeOf(high);
}

function codeOf(char: string): number {
  return char.codePointAt(0) as number;
}
