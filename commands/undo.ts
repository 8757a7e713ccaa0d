import { boolean, integer, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { headFlag, imageArg, keptHead } from "../src/cli/flags.js";
import { copiedLines } from "../src/cli/plan-lines.js";
import { applyUndo, isOneFile, openDocument, planUndo, recoverImage, type UndoTrust } from "../src/index.js";

export default class Undo extends BaseCommand<typeof Undo> {
  static override summary = "undo edits of an image, byte for byte";
  static override description =
    `The old bytes come from the log (crimg log) and are verified by SHA-256 before anything is written. Undone entries are
removed from the log; the log of a linux-cr stream is removed with its last entry. If a file was changed by another program
since, nothing is done. Files that --deleted PATH=copy:FILE wrote beside a stream are kept and listed.

A log can be trusted as far as whoever could write it (see crimg log on what its chain proves): nothing is done if the
chain is broken, or if the log names a file that edits never change. With --head, edits are undone only if the log ends with
that head.

Exit status: 0 done, 2 trouble.`;
  static override examples = [
    { description: "see what would be undone", command: "<%= config.bin %> undo IMG --dry-run" },
    { description: "undo the last edit", command: "<%= config.bin %> undo IMG" },
    {
      description: "undo two edits, into another directory",
      command: "<%= config.bin %> undo IMG --steps 2 -o DIR",
    },
  ];
  static override json = {
    image: "path of the set or stream",
    directory: "directory of the written set (file, for a stream); absent with --dry-run",
    undone: "list of {time, edits} that were, or would be, undone, newest first",
    files: "names of the restored files",
    left: "paths of files that the edits wrote beside a stream and that are kept",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    output: string({
      char: "o",
      aliases: ["out"],
      description: "write to this new directory (set) or file (stream, archive)",
      helpValue: "PATH",
      exclusive: ["in-place"],
    }),
    "in-place": boolean({ description: "change the image itself, all files or none (default)" }),
    "dry-run": boolean({
      description: "only show what would be undone",
      exclusive: ["output", "in-place"],
    }),
    steps: integer({ default: 1, min: 1, description: "number of edits to undo", helpValue: "N" }),
    head: headFlag("head that was kept; the log must end with it"),
    unchained: boolean({
      description: "undo edits of an older log without a chain",
    }),
    copy: boolean({
      description: "copy pages instead of sharing them with the edited set",
      dependsOn: ["output"],
    }),
  };

  async run(): Promise<Answer> {
    const { output, steps, copy, "dry-run": isDry } = this.flags;
    if (output === undefined && !isDry && this.image !== "-") this.tellRecovery(recoverImage(this.image));
    const document = openDocument(this.image, this.opening);
    try {
      const target =
        output === undefined ? ({ to: "in place" } as const) : ({ to: "new", path: output, copy } as const);
      const plan = planUndo(document, steps, this.#trust);
      const { entries, files, left } = plan;
      const { path, copied } = isDry ? {} : applyUndo(document, plan, target);
      if (this.flags.json)
        this.printJson({
          image: document.name,
          ...(path === undefined ? {} : isOneFile(document) ? { file: path } : { directory: path }),
          undone: entries.map(({ time, edits }) => ({ time, edits })),
          files,
          left,
        });
      else {
        const what = isDry ? "would restore" : "restored";
        this.print(`${path ?? document.name}: ${what} ${files.join(", ")}`);
        this.printLines(entries.map(({ time, edits }) => `  ${time} ${edits.join(" ")}`));
        for (const file of left)
          this.note(`${isDry ? "would keep" : "kept"} ${file}, which the edit wrote beside the stream`);
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
}
