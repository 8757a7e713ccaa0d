// A command that does what its arguments say; base-command.test.ts runs it.
import { readFileSync } from "node:fs";
import type { Interfaces } from "@oclif/core";
import { Config } from "@oclif/core/config";
import { string } from "@oclif/core/flags";
import { BaseCommand } from "../../../src/cli/base-command.js";
import { type Answer, EXIT } from "../../../src/cli/exit-codes.js";
import { imageArg, positional } from "../../../src/cli/flags.js";
import { FormatError } from "../../../src/index.js";

class Probe extends BaseCommand<typeof Probe> {
  static override id = "probe";
  static override args = { IMG: imageArg, WORD: positional("what to do") };
  static override flags = { set: string({ multiple: true, description: "given again and again" }) };

  async run(): Promise<Answer> {
    const { WORD: word } = this.args;
    const answer = { image: this.image, word, set: this.flags.set };
    if (word === "no") return EXIT.no;
    if (word === "format")
      throw new FormatError("INVALID", "bad \u001b[31m magic", { file: "a.img", offset: 4, path: "[0].x" });
    if (word === "bug") throw new TypeError("x is not a function");
    if (word === "errno") readFileSync("/nonexistent");
    if (word === "late") this.printLines(partOfAnAnswer());
    if (word === "warn") this.warn("careful\u0007");
    if (word === "flood") this.printLines(Array.from({ length: 200_000 }, (_, at) => `line ${at}`));
    this.detail("more");
    this.printJson(answer);
    return EXIT.ok;
  }
}

function* partOfAnAnswer(): Generator<string> {
  yield "{".padEnd(70_000);
  throw new FormatError("TRUNCATED", "ends here", {});
}

const pjson = { name: "crimg", version: "0.0.0", oclif: { bin: "crimg" } };
const plugin = { name: "crimg", root: ".", pjson, hooks: {}, commands: [], topics: [] };
const config = await Config.load({
  root: ".",
  plugins: new Map([["crimg", plugin]]),
} as unknown as Interfaces.Options);
await Probe.run(process.argv.slice(2), config);
