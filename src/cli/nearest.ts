/** One wrong letter, or one of so many letters: more would make a word of any other. */
const LETTERS_PER_EDIT = 3;

/** The word of `words` nearest to `typed`, if any is close. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const started = words.filter((word) => word.startsWith(typed));
  if (started.length === 1) return started[0];
  const ranked = words
    .map((word) => ({ word, edits: distance(typed, word) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.max(1, typed.length / LETTERS_PER_EDIT)
    ? best.word
    : undefined;
}

/** Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const same = a[i] === b[j] ? 0 : 1;
      const isSwap = a[i] === b[j - 1] && a[i - 1] === b[j];
      next.push(
        Math.min(
          (row[j + 1] as number) + 1,
          (next[j] as number) + 1,
          (row[j] as number) + same,
          isSwap ? (above[j - 1] as number) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [above, row] = [row, next];
  }
  return row[b.length] as number;
}
