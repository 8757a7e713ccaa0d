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
  static override summary = "explain why criu failed, from its log";
  static override description =
    `Finds the first real error in the log of criu dump or criu restore, and shows what it means and which command fixes it.
An error that crimg does not know is shown as the likely cause. The log may be of any verbosity, cut at either end, in colour,
quoted, or as journald, Docker, Kubernetes and structured loggers write it; for a message of a container runtime, it names
criu's own log. With the image set that the log is about, ids in the log are resolved to tasks, descriptors and paths.

Exit status: 0 the failure is known (or criu succeeded), 1 no known failure in the log (its error lines are shown), 2
trouble.`;
  static override examples = [
    {
      description: "a failed restore",
      command: "<%= config.bin %> <%= command.id %> restore.log images/",
    },
    {
      description: "a failed dump, its log from a pipe",
      command: "ssh host cat /tmp/dump.log | <%= config.bin %> <%= command.id %> -",
    },
  ];
  static override json = {
    log: "name of the log as given",
    action: "dump, restore or unknown",
    outcome:
      "failed, succeeded, unfinished (criu was stopped, crashed, or is still running) or unknown (no error, and a log below -v3 does not show success)",
    criuVersion: "version of criu; absent below -v3",
    kernel: "release of the kernel; absent below -v3",
    root: "pid of the root of the dumped tree; absent if not in the log",
    failure:
      "absent if unknown: id, what, why, line {number, level, pid, place, text}, objects {pid, comm, use, file, how}, mends {command, effect}",
    likely:
      "for an unknown failure: line, the first error, which is the likely cause; and consequence, absent or a failure that probably follows from it",
    lines: "log lines that may matter",
    last: "the last line",
  };
  static override args = {
    LOG: requiredPositional("log of criu dump or criu restore, of any verbosity; - for stdin"),
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
