/** `error`: criu refuses the set or restores it wrongly. `warning`: suspicious. `note`: worth knowing. */
export type Severity = "error" | "warning" | "note";

export const SEVERITIES: readonly Severity[] = ["error", "warning", "note"];

/** What a finding is about; as much of it as there is. Text is as it stands in the image. */
export interface Place {
  readonly image?: string | undefined;
  readonly record?: number | undefined;
  /** Where the record stands in a stream, in bytes. */
  readonly offset?: number | undefined;
  readonly field?: string | undefined;
  readonly pid?: number | undefined;
  readonly fd?: number | undefined;
  readonly path?: string | undefined;
}

/** What a rule has found. */
export interface Found {
  readonly at: Place;
  /** One clause, without the place. */
  readonly what: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  /** The command that fixes it, as a person may paste it; absent where none can. */
  readonly fix?: string | undefined;
  /** Instead of the rule's own level. */
  readonly level?: Severity | undefined;
}

export interface Finding extends Omit<Found, "level"> {
  /** Stable name of the rule. */
  readonly id: string;
  readonly severity: Severity;
  /** How often it was found: of one path with the same words and values it is told once, where it was found first. */
  readonly count: number;
}

/** What is to be known about a rule without running it; the manual page of findings is made from these. */
export interface RuleFacts {
  /** UPPER_SNAKE, stable. */
  readonly id: string;
  readonly level: Severity;
  /** The condition that must hold, one sentence. */
  readonly about: string;
  /** What fixes it, one sentence. */
  readonly fix: string;
}

export interface Rule<C> extends RuleFacts {
  check(context: C): Iterable<Found>;
}
