import { Random } from "./random.js";

/** Something that crimg does with a mutant; it must end in a value or in a CrimgError. */
export interface Operation {
  readonly name: string;
  /** Errors: those of crimg; Broken when the answer itself is wrong. */
  run(): unknown;
}

/** An original with something changed. */
export interface Mutant {
  /** What was changed, one step after the other. */
  readonly steps: readonly string[];
  readonly operations: readonly Operation[];
  /** Digest of all that lies on disk, which no operation may change. */
  digest?(): string;
}

/** Where and of what a mutant is made. */
export interface Making {
  readonly random: Random;
  /** An empty directory for its files. */
  readonly scratch: string;
  /** Makes this step alone, to find out which one matters. */
  readonly only: number | undefined;
}

/** One sort of input that crimg reads. */
export interface Family {
  readonly name: string;
  /** How many of a hundred mutants are of this family. */
  readonly share: number;
  mutant(making: Making): Mutant;
}

/** An answer that breaks a promise: bytes that are not the same again, a source that was changed. */
export class Broken extends Error {}

/** Runs one to three steps, each by a random number of its own, and says what they were. */
export function steps(
  { random, only }: Making,
  step: (random: Random) => string | undefined,
  most = 3,
): string[] {
  const told: string[] = [];
  const count = 1 + random.below(most);
  for (let i = 0; i < count; i++) {
    const what = only === undefined || only === i ? step(new Random(`${random.seed}/${i}`)) : undefined;
    if (what !== undefined) told.push(what);
  }
  return told;
}
