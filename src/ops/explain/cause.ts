/** A way out of a failure. */
export interface MendTemplate {
  /** A command line; `{name}` stands for a fact, quoted for the shell. Without one only words help. */
  readonly command?: string;
  /** Instead of a command: the flags of an edit of the set that helps. */
  readonly edit?: string;
  /** What it does, or what to do by hand. */
  readonly effect: string;
  /** Whether it helps, given the named groups of the pattern. */
  readonly only?: (groups: Readonly<Record<string, string | undefined>>) => boolean;
}

/**
 * One failure that is known: the line criu writes, and what it means. `{name}` in the texts stands for a named group
 * of the pattern (those whose name ends in `path` become absolute paths), or for one of `image` (the set as the user
 * named it), `restore` (the command that restores it), `pid` (the task at work) and `root` (of the dumped tree).
 */
export interface Cause {
  /** Stable; the id of the validation rule where one warns of the same thing. */
  readonly id: string;
  /** Tried on errors, warnings and bare lines alike. */
  readonly match: RegExp;
  /** Only in logs of this action. */
  readonly during?: "dump" | "restore";
  /** What criu stumbled over, one sentence. */
  readonly what: string;
  /** Why that ends it, one sentence. */
  readonly why: string;
  readonly mends: readonly MendTemplate[];
  /** Tried on the last line alone, of a log that ends in the middle. */
  readonly stuck?: true;
  /** Follows from another error: told only if the log holds nothing better. */
  readonly consequence?: true;
}
