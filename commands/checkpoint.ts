import { isatty } from "node:tty";
import { boolean, option, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { requiredPositional } from "../src/cli/flags.js";
import { writeOutput } from "../src/cli/output-file.js";
import { Progress } from "../src/cli/progress.js";
import { StepLog } from "../src/cli/step-log.js";
import { checkpointTree, conversionBytes, DELETED_METHODS, UsageError } from "../src/index.js";

export default class Checkpoint extends BaseCommand<typeof Checkpoint> {
  static override summary = "write a running process and its descendants as a linux-cr stream";
  static override description =
    `Stops the tasks, reads what the kernel tells of them and of their memory, and writes one file, or a pipe with -o -. The
tasks are ended once the image is whole, or run on with --leave-running. What cannot be saved is refused, object by
object, before anything is written; whatever fails, the tasks run on. What tasks can do without, as the CPUs that they
may run on, and the image does not hold is told by warnings.

A file without a name comes back without one. A link to it goes on leading to the same file; it needs a name that is left,
or a file that never had one (O_TMPFILE). Copies and links (.crimg-*) are part of the image: a successful restore removes
them; remove those of an image that is thrown away by hand.

It needs no criu: crimg itself traces the tasks. The image is for crimg restore, and for every other command.

Exit status: 0 written, 1 something cannot be saved, 2 trouble.`;
  static override examples = [
    {
      description: "Write a program down and end it; bring it back later",
      command: "<%= config.bin %> <%= command.id %> PID -o app.ckpt && crimg restore app.ckpt --detach",
    },
    {
      description: "Through a pipe, to another machine",
      command: "<%= config.bin %> <%= command.id %> PID -o - | ssh HOST crimg restore - --detach",
    },
  ];
  static override json = {
    pid: "the root of the tree",
    leaveRunning: "whether the tasks run on",
    written: "path and size in bytes; absent when refused",
    remarks: "what the image does not hold: the first task and a sentence each; absent when refused",
    refusals: "what cannot be saved, as sentences; absent when written",
  };
  static override args = { PID: requiredPositional("process, the root of the tree that is written") };
  static override flags = {
    out: string({ char: "o", required: true, helpValue: "FILE", description: "file to write; - for stdout" }),
    deleted: option({ options: DELETED_METHODS })({
      description:
        "how deleted files are saved: their contents in the image, a copy in --relink-dir, or one more link there [default: a link where another name is left, else contents]",
    }),
    "relink-dir": string({
      helpValue: "DIR",
      description:
        "where --deleted copy and relink put what they make [default for links: where the file was]",
    }),
    "leave-running": boolean({ char: "R", description: "let the tasks run on" }),
    force: boolean({ description: "replace a file that is there" }),
    log: string({ helpValue: "FILE", description: "explain every step in this file; -v does on stderr" }),
  };

  async run(): Promise<Answer> {
    const { flags } = this;
    const pid = Number(this.args.PID);
    if (!Number.isInteger(pid) || pid <= 0)
      throw new UsageError(`${JSON.stringify(this.args.PID)} is no process id`);
    if (flags.out === "-" && isatty(1))
      throw new UsageError("a stream is binary and stdout is a terminal: name a file, or use a pipe");
    const progress = new Progress("writing");
    const log = new StepLog(flags.log, flags.verbose ? (line) => this.note(line) : undefined);
    const onWritten = (done: number, total: number) => progress.at(done, total);
    const request = {
      pid,
      leaveRunning: flags["leave-running"],
      deleted: flags.deleted,
      relinkDir: flags["relink-dir"],
      log: log.step,
    };
    let size = 0;
    let outcome: Awaited<ReturnType<typeof checkpointTree>>;
    try {
      outcome = await checkpointTree(request, (image, save) => {
        size = image.size;
        if (flags.out === "-") writeOutput(undefined, conversionBytes(image, onWritten));
        else save(flags.out, flags.force, onWritten);
      });
    } finally {
      progress.end();
      log.close();
    }
    const { unsupported, warnings } = outcome;
    if (unsupported.length > 0) return this.#refuse(unsupported.map(({ reason }) => reason));
    for (const { text } of warnings) this.warn(text);
    if (flags.out === "-") return EXIT.ok;
    if (flags.json)
      this.printJson({
        pid,
        leaveRunning: flags["leave-running"],
        written: { path: flags.out, size },
        remarks: warnings,
      });
    else this.print(`wrote ${flags.out} (task ${pid}, ${size} bytes)`);
    return EXIT.ok;
  }

  #refuse(refusals: readonly string[]): Answer {
    if (this.flags.json && this.flags.out !== "-") this.printJson({ pid: Number(this.args.PID), refusals });
    else for (const refusal of refusals) this.note(refusal);
    this.note("nothing was written; the tasks run on");
    return EXIT.no;
  }
}
