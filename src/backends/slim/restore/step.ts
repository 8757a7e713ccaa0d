/** What every step of a plan says of itself. */
export interface StepBase {
  /** The process whose step it is; 0 for what crimg does for all of them. */
  readonly task: number;
  /** What happens, as a clause without its subject: `map 0x1000-0x3000 …`. */
  readonly what: string;
  /** Why it is done, or why so, where that is worth a word. */
  readonly why?: string | undefined;
}
