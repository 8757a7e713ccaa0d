import type { SalvagedSet } from "../../formats/criu/salvage.js";
import { shellCommand, shellQuote } from "../../io/shell.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import type { SalvagedDocument } from "../../model/salvaged.js";

/** What rules look at: the set as far as it can be read, the model over it, and facts that several rules share. */
export class SetContext {
  readonly set: SalvagedSet;
  readonly checkpoint: Checkpoint;
  readonly #shared = new Map<unknown, unknown>();

  constructor({ set, checkpoint }: SalvagedDocument) {
    this.set = set;
    this.checkpoint = checkpoint;
  }

  /** What `make` gives for this set, made at the first call. */
  share<T>(make: (context: SetContext) => T): T {
    if (!this.#shared.has(make)) this.#shared.set(make, make(this));
    return this.#shared.get(make) as T;
  }

  /** The set's name as a word of a command line. */
  get quotedName(): string {
    return shellQuote(this.set.name);
  }

  /** The `crimg edit` command that changes this set in place. */
  editCommand(...args: readonly string[]): string {
    return shellCommand(["crimg", "edit", this.set.name, ...args, "--in-place"]);
  }
}
