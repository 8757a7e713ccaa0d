import { BaseCommand } from "../src/cli/base-command.js";
import { EXIT } from "../src/cli/exit-codes.js";
import { explanationLines } from "../src/cli/explanation-lines.js";
import { imageArg, requiredPositional } from "../src/cli/flags.js";
import { readInput } from "../src/cli/input.js";
import { terminalWidth } from "../src/cli/output.js";
import { type Explanation, explainLog, FileSource, MemorySource, openDocument } from "../src/index.js";

/** A log that comes through a pipe is held in memory. */
const MAX_PIPED_LOG = 256 * 1024 * 1024;

export default class Explain extends BaseCommand<typeof Explain> {
  static override summary = "say why criu failed, from its log";
  static override description =
    `Finds the first real error in the log of a criu dump or restore, says what it means and which command
mends it. With the image set that the log is about, the ids in the log become tasks, descriptors and paths.

Exit status: 0 when the failure is known (or the log tells of success), 1 when the log holds no failure that crimg
knows (its error lines are shown then), 2 on trouble.`;
  static override examples = [
    {
      description: "Why did this restore fail?",
      command: "<%= config.bin %> <%= command.id %> restore.log images/",
    },
    {
      description: "A dump has no images yet; the log may come through a pipe",
      command: "ssh host cat /tmp/dump.log | <%= config.bin %> <%= command.id %> -",
    },
  ];
  static override json = {
    log: "the log as it was named",
    action: "dump, restore or unknown",
    outcome: "failed, succeeded or unfinished (criu was stopped, crashed, or is still running)",
    criuVersion: "version of criu; absent below -v3",
    kernel: "release of the kernel; absent below -v3",
    root: "pid of the root of the dumped tree; absent when the log does not tell",
    failure:
      "absent when none is known: id, what, why, line {number, level, pid, place, text}, objects {pid, comm, use, file, how}, mends {command, effect}",
    lines: "the lines of criu that may matter",
    last: "the last line",
  };
  static override args = {
    LOG: requiredPositional("log of criu dump or criu restore, of any verbosity; - is stdin"),
    IMG: imageArg,
  };

  async run() {
    const explanation = this.#explain();
    if (this.flags.json) this.printJson(explanation);
    else this.printLines(explanationLines(explanation, { style: this.style, width: terminalWidth() }));
    return explanation.failure === undefined && explanation.outcome !== "succeeded" ? EXIT.no : EXIT.ok;
  }

  #explain(): Explanation {
    const { LOG } = this.args;
    const source =
      LOG === "-" ? new MemorySource(readInput("-", MAX_PIPED_LOG), "stdin") : new FileSource(LOG);
    const image = this.flags["images-dir"] ?? this.args.IMG;
    if (image === undefined) return explainLog(source);
    const document = openDocument(image, this.looking);
    try {
      return explainLog(source, document);
    } finally {
      document.close();
      source.close();
    }
  }
}
