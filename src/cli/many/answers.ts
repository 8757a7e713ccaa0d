import { EXIT } from "../exit-codes.js";
import { JSON_SCHEMA } from "../json.js";
import { rendered, styled } from "../line.js";
import { writeAnswerLines, writeBinary, writeLines } from "../output.js";
import type { Style } from "../style.js";
import { plural } from "../units.js";
import type { ManyImages } from "./flags.js";
import type { OneRun } from "./words.js";
import type { RunResult } from "./worker.js";

interface AnswersOptions {
  readonly command: string;
  readonly json: boolean;
  readonly outcomes: ManyImages["outcomes"];
  readonly style: Style;
}

/** Prints what was found of each image, and a summary of all. */
export class Answers {
  readonly #counts: [ok: number, no: number, trouble: number] = [0, 0, 0];

  constructor(private readonly options: AnswersOptions) {}

  /** As text below the name of the image; as JSON in one line: `{schema, command, image, exit, ...}`. */
  tell({ image }: OneRun, { exit, stdout, stderr }: RunResult): void {
    const { json, style } = this.options;
    const isFirst = this.#done === 0;
    this.#counts[exit === EXIT.ok || exit === EXIT.no ? exit : EXIT.trouble]++;
    if (json) this.#line(image, exit, stdout);
    else {
      if (!isFirst) writeLines(1, [""]);
      writeLines(1, [styled`${style("heading", image)}`]);
      writeBinary(stdout);
    }
    // Escaped by the run that wrote it.
    const messages = Buffer.from(stderr).toString("utf8").split("\n").slice(0, -1);
    writeBinary(Buffer.from(messages.map((each) => `${rendered(image)}: ${each}\n`).join("")), 2);
  }

  /** `12 images: 11 valid, 1 invalid`. Gives the worst exit status. */
  end(): number {
    const { json, command, outcomes } = this.options;
    const [ok, no, trouble] = this.#counts;
    const summary = { images: this.#done, ok, no, trouble };
    const texts = this.#counts.flatMap((count, exit) => (count > 0 ? [`${count} ${outcomes[exit]}`] : []));
    if (json) writeAnswerLines([{ schema: JSON_SCHEMA, command, summary }]);
    else writeLines(1, ["", `${plural(this.#done, "image")}: ${texts.join(", ")}`]);
    return trouble > 0 ? EXIT.trouble : no > 0 ? EXIT.no : EXIT.ok;
  }

  get #done(): number {
    return this.#counts.reduce((sum, each) => sum + each, 0);
  }

  #line(image: string, exit: number, stdout: Uint8Array): void {
    const text = Buffer.from(stdout).toString("utf8");
    const { schema, command, image: file, ...answer } = text === "" ? {} : JSON.parse(text);
    // Of a view of one image file `image` names that; `image` is the checkpoint here.
    const own = file === undefined || file === image ? {} : { file };
    const { command: name } = this.options;
    writeAnswerLines([{ schema: JSON_SCHEMA, command: name, image, exit, ...own, ...answer }]);
  }
}
