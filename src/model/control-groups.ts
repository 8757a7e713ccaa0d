import type { Origin } from "./origin.js";

/** The groups of cgroups(7) that threads are in together, one of each hierarchy. */
export interface ControlGroupSet {
  readonly id: number;
  /** Each as `controllers:path`. */
  readonly groups: readonly string[];
  readonly origin: Origin;
}
