const MAX_EDITS = 2;

/** The word of `words` nearest to `typed`, if any is close. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const started = words.filter((word) => word.startsWith(typed));
  if (started.length === 1) return started[0];
  const ranked = words
    .map((word) => ({ word, edits: distance(typed, word) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= MAX_EDITS ? best.word : undefined;
}

/** Number of insertions, deletions and replacements that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const same = char === b[j] ? 0 : 1;
      next.push(Math.min((row[j + 1] as number) + 1, (next[j] as number) + 1, (row[j] as number) + same));
    }
    row = next;
  }
  return row[b.length] as number;
}
