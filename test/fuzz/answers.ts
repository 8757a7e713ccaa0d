import { writeJson } from "../../src/cli/json.js";
import { type Line, rendered } from "../../src/cli/line.js";
import { styleFor } from "../../src/cli/style.js";
import { Broken } from "./family.js";

/** How lines are made for a terminal without colours, so that every escape in them came out of an image. */
export const LOOK = { style: styleFor(1, "never"), width: 100 };

const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** Reads lines as a terminal would get them. Errors: Broken for one with a control in it. */
export function shown(lines: Iterable<Line>): void {
  for (const each of lines) {
    const line = rendered(each);
    const found = UNSAFE.exec(line);
    if (found !== null)
      throw new Broken(
        `U+${(found[0].codePointAt(0) as number).toString(16)} reaches the terminal: ${JSON.stringify(line.slice(0, 200))}`,
      );
  }
}

/** Writes an answer as `--json` does. */
export function shownJson(answer: unknown): void {
  writeJson(answer, () => {});
}
