import type { Origin } from "./origin.js";

/** A seccomp(2) filter. Threads name the last one that they installed; each names the one before it. */
export interface SeccompFilter {
  readonly id: number;
  /** Id of the filter that it is laid over; undefined for the first of a chain. */
  readonly previous: number | undefined;
  /** SECCOMP_FILTER_FLAG_ bits. */
  readonly flags: number;
  /** Bytes of the program, struct sock_filter each. */
  readonly bytes: number;
  program(): Buffer;
  readonly origin: Origin;
}
