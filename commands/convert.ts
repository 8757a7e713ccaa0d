import { tmpdir } from "node:os";
import { isatty } from "node:tty";
import { boolean, option } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg, positional } from "../src/cli/flags.js";
import { writeOutput } from "../src/cli/output-file.js";
import { Progress } from "../src/cli/progress.js";
import {
  type Conversion,
  conversionBytes,
  openDocument,
  planConversion,
  UsageError,
  writeConversion,
} from "../src/index.js";

export default class Convert extends BaseCommand<typeof Convert> {
  static override summary = "make a linux-cr stream of a CRIU image set, or a set of a stream";
  static override description =
    `What both families know is carried over; what a stream of 2011 had no record for goes into crimg's own extension
records, so that a set comes back from a stream as it was. What neither can express is listed object by object, and
nothing is written unless --lossy agrees to it. Memory is copied page by page from the original; the new image is there
whole or not at all, and only its owner can read it.

A stream is one file, and goes through pipes: - is stdin as IMG and stdout as OUT.

Exit status: 0 converted, 1 something cannot be expressed and --lossy was not given, 2 trouble.`;
  static override examples = [
    {
      description: "A whole set as one file, and back",
      command:
        "<%= config.bin %> convert fixtures/criu/logger /tmp/logger.ckpt && <%= config.bin %> convert /tmp/logger.ckpt /tmp/logger-again",
    },
    {
      description: "Through a pipe, to another machine",
      command: "<%= config.bin %> convert IMG - | ssh HOST crimg restore -",
    },
  ];
  static override json = {
    from: "criu or linux-cr",
    to: "criu or linux-cr",
    losses: "what cannot be expressed: list of {object, what, why}",
    written: "when something was written: {path, size in bytes}",
  };
  static override args = {
    IMG: imageArg,
    OUT: positional("directory or file that the new image goes to; - for stdout (streams)"),
  };
  static override flags = {
    to: option({ options: ["criu", "linux-cr"] as const })({
      description: "family of the new image [default: the other one]",
    }),
    lossy: boolean({ description: "convert although something cannot be expressed" }),
    force: boolean({ description: "replace a file that is there; never a directory" }),
  };

  async run(): Promise<Answer> {
    const { flags } = this;
    const toStdout = this.#out === "-";
    if (toStdout && isatty(1))
      throw new UsageError("a stream is binary and stdout is a terminal: name a file, or use a pipe");
    const document = openDocument(this.image, { ...this.looking, spoolIn: tmpdir() });
    try {
      const conversion = planConversion(document, flags.to);
      if (toStdout && conversion.to === "criu")
        throw new UsageError("a CRIU set is a directory: name one instead of -");
      const isNo = conversion.losses.length > 0 && !flags.lossy;
      const size = isNo ? undefined : this.#write(conversion);
      this.#tell(document.family, conversion, size);
      return isNo ? EXIT.no : EXIT.ok;
    } finally {
      document.close();
    }
  }

  get #out(): string {
    const { OUT } = this.args;
    if (OUT === undefined) throw new UsageError("name where the new image goes, or - for stdout");
    return OUT;
  }

  #write(conversion: Conversion): number {
    const OUT = this.#out;
    const progress = new Progress("writing");
    const onWritten = (done: number, total: number) => progress.at(done, total);
    try {
      if (OUT !== "-" || conversion.to === "criu")
        return writeConversion(conversion, OUT, this.flags.force, onWritten);
      writeOutput(undefined, conversionBytes(conversion.stream, onWritten));
      return conversion.stream.size;
    } finally {
      progress.end();
    }
  }

  #tell(from: string, { to, losses }: Conversion, size: number | undefined): void {
    const OUT = this.#out;
    const written = size === undefined ? undefined : { path: OUT, size };
    if (OUT !== "-" && this.flags.json) {
      this.printJson({ from, to, losses, written });
      return;
    }
    const tell = (text: string): void => (OUT === "-" ? this.note(text) : this.print(text));
    for (const { object, what, why } of losses) tell(`${object}: ${what} (${why})`);
    if (size === undefined)
      this.note(
        `${losses.length} ${losses.length === 1 ? "thing" : "things"} cannot be expressed; nothing was written (--lossy converts without them)`,
      );
    else if (OUT !== "-") this.print(`wrote ${OUT} (${to}, ${size} bytes)`);
  }
}
