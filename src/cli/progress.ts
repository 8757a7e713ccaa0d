import { isatty } from "node:tty";
import { overwriteLine } from "./output.js";

const QUIET_MS = 1000;
const STEP_MS = 200;

/**
 * A progress line on stderr, only on a terminal and only after a second. Call `at` any number of times, and `end` when
 * done, which clears the line.
 */
export class Progress {
  readonly #shows = isatty(2);
  #next = Date.now() + QUIET_MS;
  #drawn = false;

  constructor(readonly doing: string) {}

  /** `done` of `total`, in any unit. */
  at(done: number, total: number): void {
    if (!this.#shows) return;
    const now = Date.now();
    if (now < this.#next) return;
    this.#next = now + STEP_MS;
    this.#drawn = true;
    const percent = total > 0 ? Math.floor((done / total) * 100) : 0;
    overwriteLine(`${this.doing} ${percent}%`);
  }

  end(): void {
    if (this.#drawn) overwriteLine("");
    this.#drawn = false;
  }
}
