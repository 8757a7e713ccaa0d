import { basename } from "node:path";
import { boolean, integer, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { headFlag, imageArg, keptHead } from "../src/cli/flags.js";
import { copiedLines } from "../src/cli/plan-lines.js";
import {
  type CriuDocument,
  type LinuxCrDocument,
  openDocument,
  recoverImage,
  type UndoTrust,
  undoEdits,
  undoStream,
} from "../src/index.js";

export default class Undo extends BaseCommand<typeof Undo> {
  static override summary = "take edits of an image back, to the very bytes that were there before";
  static override description =
    `The bytes come from the log (crimg log) and are proved by SHA-256 before anything is written. The log loses the entries
that were taken back; that of a linux-cr stream goes with its last entry. When something else has changed the files since,
nothing is done. Files that --deleted PATH=copy:FILE wrote beside a stream stay, and are named.

A log is only as good as who could write it (crimg log says what its chain proves): nothing is done when the chain is
broken, or when the log names what no edit touches. --head takes edits back only by the log whose head was kept.

Exit status: 0 done, 2 trouble.`;
  static override examples = [
    { description: "Take the last edit back", command: "<%= config.bin %> undo IMG" },
    {
      description: "The set as it was two edits ago, beside the one there is",
      command: "<%= config.bin %> undo IMG --steps 2 -o DIR",
    },
  ];
  static override json = {
    directory: "the set that was written; file, for a stream",
    undone: "list of {time, edits} that were taken back, the newest first",
    files: "names of the files that have their old bytes again",
    left: "paths of files that the edits wrote beside a stream, and that stay",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    output: string({
      char: "o",
      description: "write the set into this new directory, a stream into this new file",
      helpValue: "PATH",
      exclusive: ["in-place"],
    }),
    "in-place": boolean({ description: "change the image itself, all files or none; this is the default" }),
    steps: integer({ default: 1, min: 1, description: "how many edits are taken back", helpValue: "N" }),
    head: headFlag("the head that was kept: the log must end with it"),
    unchained: boolean({
      description: "take back also edits of a log that is not chained, as earlier versions wrote it",
    }),
    copy: boolean({ description: "share nothing with the edited set", dependsOn: ["output"] }),
  };

  async run(): Promise<Answer> {
    const { output, steps, copy } = this.flags;
    if (output === undefined && this.image !== "-") this.tellRecovery(recoverImage(this.image));
    const document = openDocument(this.image, this.opening);
    try {
      const { where, entries, files, copied, left } =
        document.family === "linux-cr"
          ? this.#undoStream(document, steps, output)
          : this.#undoSet(document, steps, output, copy);
      if (this.flags.json)
        this.printJson({
          ...where,
          undone: entries.map(({ time, edits }) => ({ time, edits })),
          files,
          left,
        });
      else {
        const name = Object.values(where)[0] as string;
        this.print(`${name}: ${files.join(", ")} as before`);
        this.printLines(entries.map(({ time, edits }) => `  ${time} ${edits.join(" ")}`));
        for (const file of left) this.note(`${file}, which the edit wrote beside the stream, is left there`);
        if (copied !== undefined) this.printLines(copiedLines(copied));
      }
      return EXIT.ok;
    } finally {
      document.close();
    }
  }

  get #trust(): UndoTrust {
    const { head, unchained } = this.flags;
    return { head: keptHead(head), unchained };
  }

  #undoSet(document: CriuDocument, steps: number, output: string | undefined, copy: boolean) {
    const target =
      output === undefined
        ? ({ to: "in place" } as const)
        : ({ to: "directory", directory: output, copy } as const);
    const { directory, ...undone } = undoEdits(document, steps, target, this.#trust);
    return { ...undone, where: { directory }, left: [] };
  }

  #undoStream(document: LinuxCrDocument, steps: number, output: string | undefined) {
    const target =
      output === undefined ? ({ to: "in place" } as const) : ({ to: "file", file: output } as const);
    const { file, entries, left } = undoStream(document, steps, target, this.#trust);
    return { where: { file }, entries, files: [basename(document.name)], copied: undefined, left };
  }
}
