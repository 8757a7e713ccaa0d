import { isatty } from "node:tty";
import { boolean, option, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { requiredPositional } from "../src/cli/flags.js";
import { writeOutput } from "../src/cli/output-file.js";
import { Progress } from "../src/cli/progress.js";
import { StepLog } from "../src/cli/step-log.js";
import { checkpointTree, conversionBytes, DELETED_METHODS, OutputName, UsageError } from "../src/index.js";

export default class Checkpoint extends BaseCommand<typeof Checkpoint> {
  static override summary = "checkpoint a running process and its descendants as a linux-cr stream";
  static override description =
    `Stops the tasks, reads their kernel state and memory, and writes one file, or a pipe with -o -. The tasks are killed once
the image is complete, or resumed with --leave-running. If something cannot be saved, it is listed with the reason and
nothing is written; the tasks are resumed after any failure. What the image does not hold but tasks can do without, such
as CPU affinity, is reported as a warning.

A deleted file is restored as deleted. A link to it keeps the same file; it requires that the file has another name left or
never had one (O_TMPFILE). Copies and links (.crimg-*) are part of the image: a successful restore removes them; if the
image is thrown away instead, remove them by hand.

criu is not needed: crimg itself traces the tasks. crimg restore and every other command read the image.

Exit status: 0 written, 1 something cannot be saved, 2 trouble.`;
  static override examples = [
    {
      description: "checkpoint a program and restore it later",
      command: "<%= config.bin %> <%= command.id %> PID -o app.ckpt && crimg restore app.ckpt --detach",
    },
    {
      description: "to another machine, through a pipe",
      command: "<%= config.bin %> <%= command.id %> PID -o - | ssh HOST crimg restore - --detach",
    },
  ];
  static override json = {
    pid: "the root of the tree",
    leaveRunning: "whether the tasks were resumed",
    written: "path and size in bytes; absent when something cannot be saved",
    remarks:
      "warnings about what the image does not hold: {task, text}; absent when something cannot be saved",
    refusals: "what cannot be saved: list of sentences; absent when written",
  };
  static override args = { PID: requiredPositional("pid of the root of the process tree") };
  static override flags = {
    output: string({
      char: "o",
      aliases: ["out"],
      required: true,
      helpValue: "FILE",
      description: "file to write; - for stdout",
    }),
    deleted: option({ options: DELETED_METHODS })({
      description:
        "how to save deleted files: their contents in the image, a copy in --relink-dir, or a hard link there [default: a link if another name is left, else contents]",
    }),
    "relink-dir": string({
      helpValue: "DIR",
      description:
        "where --deleted copy and relink put the copies and links [default for links: the file's own directory]",
    }),
    "leave-running": boolean({ char: "R", description: "resume the tasks" }),
    force: boolean({ description: "replace an existing file" }),
    log: string({ helpValue: "FILE", description: "log every step to this file; -v logs to stderr" }),
  };

  async run(): Promise<Answer> {
    const { flags } = this;
    const pid = Number(this.args.PID);
    if (!Number.isInteger(pid) || pid <= 0)
      throw new UsageError(`not a process id: ${JSON.stringify(this.args.PID)}`);
    if (flags.output === "-" && isatty(1))
      throw new UsageError("cannot write a binary stream to a terminal; name a file, or use a pipe");
    const progress = new Progress("writing");
    const log = new StepLog(
      flags.log === undefined ? undefined : new OutputName(flags.log),
      flags.verbose ? (line) => this.note(line) : undefined,
    );
    const onWritten = (done: number, total: number) => progress.at(done, total);
    const request = {
      pid,
      leaveRunning: flags["leave-running"],
      deleted: flags.deleted,
      relinkDir: flags["relink-dir"],
      log: log.step,
    };
    // Its directory is held open from the start: others may put a link in its place meanwhile.
    const output = flags.output === "-" ? undefined : new OutputName(flags.output);
    let size = 0;
    let outcome: Awaited<ReturnType<typeof checkpointTree>>;
    try {
      outcome = await checkpointTree(request, (image, save) => {
        size = image.size;
        if (output === undefined) writeOutput(undefined, conversionBytes(image, onWritten));
        else save(output, flags.force, onWritten);
      });
    } finally {
      progress.end();
      log.close();
      output?.close();
    }
    const { unsupported, warnings } = outcome;
    if (unsupported.length > 0) return this.#refuse(unsupported.map(({ reason }) => reason));
    for (const { text } of warnings) this.warn(text);
    if (flags.output === "-") return EXIT.ok;
    if (flags.json)
      this.printJson({
        pid,
        leaveRunning: flags["leave-running"],
        written: { path: flags.output, size },
        remarks: warnings,
      });
    else this.print(`wrote ${flags.output} (task ${pid}, ${size} bytes)`);
    return EXIT.ok;
  }

  #refuse(refusals: readonly string[]): Answer {
    if (this.flags.json && this.flags.output !== "-")
      this.printJson({ pid: Number(this.args.PID), refusals });
    else for (const refusal of refusals) this.note(refusal);
    this.note("nothing was written; the tasks were resumed");
    return EXIT.no;
  }
}
