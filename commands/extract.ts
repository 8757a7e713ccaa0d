import { integer, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { damageJson } from "../src/cli/failure.js";
import { imageArg, positional } from "../src/cli/flags.js";
import { writeOutput } from "../src/cli/output-file.js";
import { sizeText } from "../src/cli/units.js";
import {
  chooseExtractable,
  type Document,
  type Extractable,
  extractables,
  lookAt,
  openDocument,
  UsageError,
} from "../src/index.js";

export default class Extract extends BaseCommand<typeof Extract> {
  static override summary = "write a deleted file, a queue or shared memory of an image to a file";
  static override description =
    `Writes what an image stores besides the memory of tasks: contents of deleted files (holes are kept), what waits in pipes,
sockets and message queues, System V segments, shared memory (memfd, shared anonymous), and what a tmpfs holds, as the
tar.gz that criu made. Without OBJECT all of it is listed.

OBJECT is a name from that list, or PID:FD, a descriptor of a task. Messages of a queue are written one after the other;
--message writes one. For the memory of a task see crimg memory.

Exit status: 0 done, 1 no such object, 2 trouble.`;
  static override examples = [
    { description: "what can be extracted", command: "<%= config.bin %> extract example/logger" },
    {
      description: "a deleted file that a descriptor still leads to",
      command: "<%= config.bin %> extract IMG 1000:5 -o deleted.log",
    },
  ];
  static override json = {
    objects:
      "list of {kind, name, message: number of a message, size in bytes}; with OBJECT the one that was written",
    output: "with OBJECT: the file",
    damage:
      "list of {code, file, offset, path, message}: parts that could not be read; absent if there are none",
  };
  static override args = {
    IMG: imageArg,
    OBJECT: positional("name of the object, or PID:FD; without it all are listed"),
  };
  static override flags = {
    output: string({
      char: "o",
      aliases: ["out"],
      description: "file to write; - for stdout",
      helpValue: "FILE",
    }),
    kind: string({
      description: "kind of the object, where several have one name: as it is listed",
      helpValue: "KIND",
    }),
    message: integer({
      description: "only this message of a queue, counted from 0",
      helpValue: "N",
      min: 0,
    }),
  };

  async run(): Promise<Answer> {
    const { OBJECT: object } = this.args;
    const { output, kind, message, json } = this.flags;
    if (object === undefined && (output ?? kind ?? message) !== undefined)
      throw new UsageError("missing OBJECT: crimg extract IMG OBJECT -o FILE");
    if (object !== undefined && output === undefined)
      throw new UsageError("missing -o FILE: where to write it");
    if (output === "-" && json) throw new UsageError("--json and -o - both write to stdout");
    const document = openDocument(this.image, this.looking);
    try {
      if (object === undefined) return this.#list(document);
      const chosen = chooseExtractable(document.checkpoint, { object, kind, message });
      writeOutput(output, contentsOf(chosen));
      if (json) this.printJson({ objects: chosen.map(objectJson), output });
      return EXIT.ok;
    } finally {
      document.close();
    }
  }

  #list(document: Document): Answer {
    const { answer, damage } = lookAt([document], ({ checkpoint }) => [...extractables(checkpoint)]);
    if (this.flags.json) this.printJson({ objects: answer.map(objectJson), ...damageJson(damage) });
    else if (answer.length === 0) this.print(`${document.name} stores nothing besides the memory of tasks`);
    else
      this.printTable(
        [
          { head: "KIND" },
          { head: "SIZE", align: "right" },
          { head: "MESSAGE", align: "right" },
          { head: "NAME" },
        ],
        answer.map((each) => [each.kind, sizeText(each.size()), each.message?.toString() ?? "", each.name]),
      );
    return this.withDamage(damage, EXIT.ok);
  }
}

function* contentsOf(chosen: readonly Extractable[]) {
  for (const each of chosen) yield* each.contents();
}

function objectJson({ kind, name, message, size }: Extractable) {
  return { kind, name, message, size: size() };
}
