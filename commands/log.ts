import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { editHistory, type FileState, openDocument } from "../src/index.js";

export default class Log extends BaseCommand<typeof Log> {
  static override summary = "show what crimg has edited in an image, and whether it is still so";
  static override description =
    `The log of an image set stands inside it, in crimg-edits.jsonl; that of a linux-cr stream beside it, under the stream's
name with .crimg-log behind it. Each file that an edit changed is compared by SHA-256 with what the edit left.

Exit status: 0 all files are as the log says, 1 something else has changed one since, 2 trouble.`;
  static override examples = [
    { description: "Who changed this set, and when?", command: "<%= config.bin %> log IMG" },
    { description: "With every old and new value", command: "<%= config.bin %> log IMG --json" },
  ];
  static override json = {
    set: "path of the set or stream",
    edits:
      "list of {crimg: version, time, edits, files: list of {name, before, after: SHA-256}, changes}, the oldest first",
    files: "list of {name, expected, found: SHA-256 by the log and of the file as it is}",
  };
  static override args = { IMG: imageArg };

  async run(): Promise<Answer> {
    const document = openDocument(this.image);
    try {
      const { entries, files } = editHistory(document);
      const changed = files.filter(({ expected, found }) => expected !== found);
      if (this.flags.json) this.printJson({ set: document.name, edits: entries.map(withoutUndo), files });
      else if (entries.length === 0) this.print(`crimg has not edited ${document.name}`);
      else {
        this.printTable(
          [
            { head: "#", align: "right" },
            { head: "TIME" },
            { head: "EDIT", cut: "end" },
            { head: "CHANGES", align: "right" },
            { head: "FILES", cut: "end" },
          ],
          entries.map((entry, i) => [
            i + 1,
            entry.time.replace(/\.\d+Z$/, "Z"),
            entry.edits.join(" "),
            entry.changes.length,
            entry.files.map(({ name }) => name).join(", "),
          ]),
        );
        for (const file of changed) this.warn(sentence(file));
      }
      return changed.length > 0 ? EXIT.no : EXIT.ok;
    } finally {
      document.close();
    }
  }
}

function sentence({ name, found }: FileState): string {
  return `${name} ${found === undefined ? "is gone" : "was changed by something else"} since the last edit`;
}

/** The bytes to undo an edit are of no use to a reader. */
function withoutUndo<T extends { readonly files: readonly { readonly undo: unknown }[] }>(entry: T): object {
  return { ...entry, files: entry.files.map(({ undo: _, ...file }) => file) };
}
