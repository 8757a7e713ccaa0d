import { entryOfHead, headOf, type LogChain, type LogEntry } from "../index.js";

/** What the chain of a log says of itself and of a head that was kept; the keys are stable. */
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

/** The chain of a log for `--json`, compared with a head that was kept elsewhere. */
export function chainJson(chain: LogChain, kept: string | undefined): ChainJson {
  return {
    head: headOf(chain) ?? null,
    intact: chain.broken === undefined,
    unchained: chain.unchained,
    broken: chain.broken ?? null,
    ...(kept === undefined ? {} : { kept: { head: kept, entry: entryOfHead(chain, kept) ?? null } }),
  };
}

/** What is told of the chain besides its head: doubts first, then what the kept head proves. */
export function* chainLines(entries: readonly LogEntry[], chain: ChainJson): Generator<string> {
  const { unchained, kept } = chain;
  if (unchained > 0) {
    const which = unchained === 1 ? "edit 1 is" : `edits 1 to ${unchained} are`;
    const versions = [...new Set(entries.slice(0, unchained).map(({ crimg }) => crimg))].join(", ");
    yield `${which} not chained: crimg ${versions} wrote the log before it chained entries, or the chain was taken out`;
  }
  if (kept?.entry === entries.length)
    yield "the kept head is that of this log: all its chained edits are as they were";
  else if (typeof kept?.entry === "number")
    yield `the kept head is that of edit ${kept.entry}: chained edits up to it are as they were, ${entries.length - kept.entry} came after`;
}

/** The sentence about a chain that does not hold; undefined when nothing speaks against it. */
export function chainProblem({ broken, kept }: ChainJson): string | undefined {
  if (broken !== null) {
    const expected = broken.expected ?? "no entry";
    return `the chain breaks at edit ${broken.entry}, which follows ${broken.found ?? "no entry"} (expected ${expected}): the log was tampered with`;
  }
  if (kept?.entry === null)
    return "no edit of this log has the kept head: edits were taken back, or the log was written anew";
  return undefined;
}
