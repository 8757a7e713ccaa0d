import type { RuleName } from "./grammar.js";

/** A list of saved pages: one BUFFER of addresses and contents. */
export interface PageArray {
  /** Index of the BUFFER. */
  readonly record: number;
  readonly pages: number;
}

/** A part of an image: its own records in order, its repeated parts, and for an object its objref. */
export interface Part {
  readonly rule: RuleName;
  readonly records: readonly number[];
  readonly parts: readonly Part[];
  readonly pageArrays: readonly PageArray[];
  readonly objref: number | undefined;
  /** Records of this object at the end of the descriptor table: epoll items, queues. */
  readonly deferred: Part | undefined;
}
