import { entryOfHead, headOf, type LogChain, type LogEntry } from "../index.js";

/** State of the chain of a log, and of a kept head; the keys are stable. */
export interface ChainJson {
  readonly head: string | null;
  readonly intact: boolean;
  readonly unchained: number;
  readonly broken: {
    readonly entry: number;
    readonly expected: string | null;
    readonly found: string | null;
  } | null;
  /** Only when a head was given. */
  readonly kept?: { readonly head: string; readonly entry: number | null };
}

/** The chain of a log for `--json`, compared with a kept head. */
export function chainJson(chain: LogChain, kept: string | undefined): ChainJson {
  return {
    head: headOf(chain) ?? null,
    intact: chain.broken === undefined,
    unchained: chain.unchained,
    broken: chain.broken ?? null,
    ...(kept === undefined ? {} : { kept: { head: kept, entry: entryOfHead(chain, kept) ?? null } }),
  };
}

/** Notes on the chain besides its head: doubts, then what the kept head proves. */
export function* chainLines(entries: readonly LogEntry[], chain: ChainJson): Generator<string> {
  const { unchained, kept } = chain;
  if (unchained > 0) {
    const which = unchained === 1 ? "edit 1 is" : `edits 1 to ${unchained} are`;
    const versions = [...new Set(entries.slice(0, unchained).map(({ crimg }) => crimg))].join(", ");
    yield `${which} not chained: the log was written by crimg ${versions} before entries were chained, or the chain was removed`;
  }
  if (kept?.entry === entries.length)
    yield "the kept head is the head of this log: all chained edits are unchanged";
  else if (typeof kept?.entry === "number")
    yield `the kept head is that of edit ${kept.entry}: chained edits up to it are unchanged, ${entries.length - kept.entry} were added later`;
}

/** The sentence about a broken chain; undefined if it is intact. */
export function chainProblem({ broken, kept }: ChainJson): string | undefined {
  if (broken !== null) {
    const expected = broken.expected ?? "no entry";
    return `the chain is broken at edit ${broken.entry}: previous entry is ${broken.found ?? "no entry"} (expected ${expected}); the log was tampered with`;
  }
  if (kept?.entry === null)
    return "the kept head is not in this log: edits were undone, or the log was rewritten";
  return undefined;
}
