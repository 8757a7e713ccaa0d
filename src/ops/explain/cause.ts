/** A fix for a failure. */
export interface MendTemplate {
  /** A command line; `{name}` is replaced by a fact, quoted for the shell. Undefined if there is no command. */
  readonly command?: string;
  /** Instead of a command: the flags of an edit of the set. */
  readonly edit?: string;
  /** What the command does, or what to do by hand. */
  readonly effect: string;
  /** Whether it applies, given the named groups of the pattern. */
  readonly only?: (groups: Readonly<Record<string, string | undefined>>) => boolean;
}

/**
 * A known failure: the line that criu logs, and its meaning. `{name}` in the texts is a named group of the pattern (those
 * whose name ends in `path` become absolute paths), or one of `image` (the set as named by the user), `restore` (the
 * command that restores it), `pid` (the current task), `fd` (its descriptor), `root` (of the dumped tree) and `unlabel`
 * (flags that take the security labels away).
 */
export interface Cause {
  /** Stable; equal to the id of the validation rule for the same problem, if any. */
  readonly id: string;
  /** Matched against errors, warnings and lines without a level. */
  readonly match: RegExp;
  /** Only in logs of this action. */
  readonly during?: "dump" | "restore";
  /** What failed, one sentence. */
  readonly what: string;
  /** Why, one sentence, with the same place-holders. */
  readonly why: string;
  readonly mends: readonly MendTemplate[];
  /** Matched only against the last line of an unfinished log. */
  readonly stuck?: true;
  /** A consequence of another error: used only if nothing else matches. */
  readonly consequence?: true;
}
