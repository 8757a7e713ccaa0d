import { boolean, integer, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { escapeText } from "../src/cli/escape.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { copiedLines } from "../src/cli/plan-lines.js";
import { openDocument, undoEdits } from "../src/index.js";

export default class Undo extends BaseCommand<typeof Undo> {
  static override summary = "take edits of an image set back, to the very bytes that were there before";
  static override description =
    `The bytes come from the log inside the set and are proved by SHA-256 before anything is written. The log loses the
entries that were taken back. When something else has changed the files since, nothing is done.

Exit status: 0 done, 2 trouble.`;
  static override examples = [
    { description: "Take the last edit back", command: "<%= config.bin %> undo IMG" },
    {
      description: "The set as it was two edits ago, beside the one there is",
      command: "<%= config.bin %> undo IMG --steps 2 -o DIR",
    },
  ];
  static override json = {
    directory: "the set that was written",
    undone: "list of {time, edits} that were taken back, the newest first",
    files: "names of the files that have their old bytes again",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    output: string({
      char: "o",
      description: "write the set into this new directory",
      helpValue: "DIR",
      exclusive: ["in-place"],
    }),
    "in-place": boolean({ description: "change the set itself, all files or none; this is the default" }),
    steps: integer({ default: 1, min: 1, description: "how many edits are taken back", helpValue: "N" }),
    copy: boolean({ description: "share nothing with the edited set", dependsOn: ["output"] }),
  };

  async run(): Promise<Answer> {
    const { output, steps, copy } = this.flags;
    const document = openDocument(this.image);
    try {
      const target =
        output === undefined
          ? ({ to: "in place" } as const)
          : ({ to: "directory", directory: output, copy } as const);
      const { directory, entries, files, copied } = undoEdits(document, steps, target);
      if (this.flags.json)
        this.printJson({ directory, undone: entries.map(({ time, edits }) => ({ time, edits })), files });
      else {
        this.print(`${escapeText(directory)}: ${files.map(escapeText).join(", ")} as before`);
        this.printLines(entries.map(({ time, edits }) => `  ${time} ${escapeText(edits.join(" "))}`));
        if (copied !== undefined) this.printLines(copiedLines(copied));
      }
      return EXIT.ok;
    } finally {
      document.close();
    }
  }
}
