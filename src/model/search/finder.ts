import { boundedSearches } from "../../io/bounded-regexp.js";
import type { Encoding, Target } from "./pattern.js";
import type { Margins, Window } from "./windows.js";

/** Bytes [start, end) of a window that match. */
export interface Found {
  readonly window: Window;
  readonly start: number;
  readonly end: number;
  readonly encoding: Encoding;
}

/** What stands before a window and may decide a match: `^`, `\b`, lookbehind. */
const LOOKED_BEHIND_BYTES = 256;
/** A match of an expression may be so long where a window ends; more of it is another match. */
const MAX_MATCH_BYTES = 8 * 1024;
/** A search of a MiB takes a few milliseconds. */
const SLOW_MS = 250;

/** Looks for all targets at once in one memory or file after another. */
export class Finder {
  readonly margins: Margins;
  readonly #hasRegexp: boolean;
  readonly #bounded = boundedSearches(SLOW_MS);
  /** Where each target goes on: what a match has used is no part of the next one. */
  #next: bigint[];

  /** `around`: how many bytes around a match are wanted too. */
  constructor(
    readonly targets: readonly Target[],
    around: number,
  ) {
    const longest = Math.max(...targets.map(({ bytes }) => bytes?.length ?? MAX_MATCH_BYTES));
    this.margins = { behind: Math.max(LOOKED_BEHIND_BYTES, around), ahead: longest + around };
    this.#hasRegexp = targets.some(({ regexp }) => regexp !== undefined);
    this.#next = targets.map(() => 0n);
  }

  /** Begins anew, for other memory. */
  restart(): void {
    this.#next = this.targets.map(() => 0n);
  }

  /** All matches that begin in the windows, ascending. Errors: USAGE for an expression that is too slow. */
  find(windows: readonly Window[]): readonly Found[] {
    const search = (): Found[] => windows.flatMap((window) => this.#inWindow(window));
    if (!this.#hasRegexp) return search();
    const bytes = windows.reduce((sum, window) => sum + window.bytes.length, 0);
    return this.#bounded(search, `${bytes} bytes of the image`);
  }

  #inWindow(window: Window): Found[] {
    const found: Found[] = [];
    const text = this.#hasRegexp ? window.bytes.toString("latin1") : "";
    for (const [i, target] of this.targets.entries()) {
      const used = Number((this.#next[i] as bigint) - window.address);
      const from = Math.max(window.from, Math.min(used, window.to));
      const end =
        target.bytes === undefined
          ? inText(target, text, { window, from, found })
          : inBytes(target.bytes, { window, from, found, encoding: target.encoding });
      if (end > 0) this.#next[i] = window.address + BigInt(end);
    }
    return this.targets.length === 1 ? found : apart(found);
  }
}

interface Search {
  readonly window: Window;
  readonly from: number;
  readonly found: Found[];
}

/** Returns where the last match ended, or 0. */
function inBytes(needle: Buffer, { window, from, found, encoding }: Search & { encoding: Encoding }): number {
  const { bytes, to } = window;
  let end = 0;
  for (let at = bytes.indexOf(needle, from); at !== -1 && at < to; at = bytes.indexOf(needle, end)) {
    end = at + needle.length;
    found.push({ window, start: at, end, encoding });
  }
  return end;
}

function inText(
  { regexp, accepts, encoding }: Target,
  text: string,
  { window, from, found }: Search,
): number {
  const wanted = regexp as RegExp;
  let last = 0;
  wanted.lastIndex = from;
  for (let match = wanted.exec(text); match !== null && match.index < window.to; match = wanted.exec(text)) {
    const [{ length }, start] = [match[0], match.index];
    if (length === 0) {
      wanted.lastIndex++;
      continue;
    }
    last = start + length;
    if (accepts?.(match[0]) ?? true) found.push({ window, start, end: last, encoding });
  }
  return last;
}

/** In order, without those that begin in the one before: a text may match in two encodings. */
function apart(found: readonly Found[]): Found[] {
  let end = 0;
  return [...found]
    .sort((a, b) => a.start - b.start)
    .filter((each) => {
      if (each.start < end) return false;
      end = each.end;
      return true;
    });
}
