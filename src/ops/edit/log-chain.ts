/**
 * The chain of an edit log: each line holds the SHA-256 of the line before it, so that no line can be changed, moved,
 * added or taken out without changing all lines behind it. Whoever can write the whole log can make a new chain; only a
 * digest of the last line that was kept elsewhere tells that.
 */

/** What a line says, and what the line before should have been. */
export interface ChainedLine {
  /** SHA-256 of the line with its newline. */
  readonly digest: string;
  /** The digest it gives for the line before; null says that there is none, undefined says nothing. */
  readonly previous: string | null | undefined;
}

/** What the digests of a log prove. Entries count from 1, the oldest. */
export interface LogChain {
  /** SHA-256 of each line with its newline, as `tail -n 1 LOG | sha256sum` prints it of the last one. */
  readonly digests: readonly string[];
  /** How many entries at the start say nothing of the one before: earlier versions of crimg wrote such logs. */
  readonly unchained: number;
  /** The first entry that does not follow the one before it. */
  readonly broken: ChainBreak | undefined;
}

/** Where a chain breaks: the digest of the line before, and the one that the entry gives for it. Null is none. */
export interface ChainBreak {
  readonly entry: number;
  readonly expected: string | null;
  readonly found: string | null;
}

/** Follows the chain through the lines of a log. */
export function chainOf(lines: readonly ChainedLine[]): LogChain {
  const first = lines.findIndex(({ previous }) => previous !== undefined);
  const unchained = first < 0 ? lines.length : first;
  let broken: ChainBreak | undefined;
  for (let i = unchained; i < lines.length && broken === undefined; i++) {
    const expected = lines[i - 1]?.digest ?? null;
    const found = lines[i]?.previous;
    if (found !== expected) broken = { entry: i + 1, expected, found: found ?? null };
  }
  return { digests: lines.map(({ digest }) => digest), unchained, broken };
}

/** The digest of the last line, to be kept elsewhere; undefined for an empty log. */
export function headOf(chain: LogChain): string | undefined {
  return chain.digests.at(-1);
}

/** The entry whose digest was kept, counted from 1: it and all chained ones before it are as they were. */
export function entryOfHead(chain: LogChain, kept: string): number | undefined {
  const index = chain.digests.lastIndexOf(kept);
  if (index < 0 || (chain.broken !== undefined && chain.broken.entry <= index + 1)) return undefined;
  return index + 1;
}
