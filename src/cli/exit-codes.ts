/** Exit status of a command; documented in crimg-conventions(7). */
export const EXIT = {
  /** Done, or the answer is yes. */
  ok: 0,
  /** The answer is no: invalid, different, not found. */
  no: 1,
  /** Trouble: usage, unreadable input, I/O. */
  trouble: 2,
} as const;

/** What a command's `run` returns; trouble is thrown. */
export type Answer = typeof EXIT.ok | typeof EXIT.no;
