import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { headFlag, imageArg, keptHead } from "../src/cli/flags.js";
import { chainJson, chainLines, chainProblem } from "../src/cli/log-lines.js";
import { editHistory, type FileState, type LogEntry, openDocument } from "../src/index.js";

export default class Log extends BaseCommand<typeof Log> {
  static override summary = "show what crimg has edited in an image, and whether it is still so";
  static override description =
    `The log of an image set stands inside it, in crimg-edits.jsonl; that of a linux-cr stream beside it, under the stream's
name with .crimg-log behind it. Each file that an edit changed is compared by SHA-256 with what the edit left.

Each entry holds the SHA-256 of the line before it, so no entry can be changed, moved, added or taken out alone: the
chain proves order and content of the edits, also that an edit's text belongs to the bytes which undo would put back.
It proves this only against somebody who cannot write the last line: whoever can write the whole log can make
another chain. Keep the head, the SHA-256 of the last line (tail -n 1 LOG | sha256sum), where nobody else writes;
--head then says whether the log up to that edit is still the same. Logs from before entries were chained are read, and
are said to be so.

Exit status: 0 all files are as the log says and the chain holds, 1 something else has changed a file or the log, 2 trouble.`;
  static override examples = [
    { description: "Who changed this set, and when?", command: "<%= config.bin %> log IMG" },
    { description: "With every old and new value", command: "<%= config.bin %> log IMG --json" },
    {
      description: "Is it the log whose head was kept?",
      command: '<%= config.bin %> log IMG --head "$(cat kept-head)"',
    },
  ];
  static override json = {
    set: "path of the set or stream",
    edits:
      "list of {previous: SHA-256 of the line before, null for the first, absent when not chained; crimg: version, time, edits, files: list of {name, before, after: SHA-256}, changes}, the oldest first",
    chain:
      "{head: SHA-256 of the last line, intact, unchained: number of edits at the start without a chain, broken: null or {entry, expected, found}; with --head kept: {head, entry: the edit it belongs to, or null}}; entries count from 1",
    files: "list of {name, expected, found: SHA-256 by the log and of the file as it is}",
  };
  static override args = { IMG: imageArg };
  static override flags = { head: headFlag("the head that was kept: the log must hold it") };

  async run(): Promise<Answer> {
    const kept = keptHead(this.flags.head);
    const document = openDocument(this.image, this.looking);
    try {
      const { entries, files, ...history } = editHistory(document);
      const chain = chainJson(history.chain, kept);
      const problem = chainProblem(chain);
      const changed = files.filter(({ expected, found }) => expected !== found);
      if (this.flags.json)
        this.printJson({ set: document.name, edits: entries.map(withoutUndo), chain, files });
      else {
        if (entries.length === 0) this.print(`crimg has not edited ${document.name}`);
        else {
          this.#printEntries(entries);
          this.print(`head ${chain.head}`);
          for (const line of chainLines(entries, chain)) this.note(`note: ${line}`);
        }
        if (problem !== undefined) this.warn(problem);
        for (const file of changed) this.warn(sentence(file));
      }
      return changed.length > 0 || problem !== undefined ? EXIT.no : EXIT.ok;
    } finally {
      document.close();
    }
  }

  #printEntries(entries: readonly LogEntry[]): void {
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
  }
}

function sentence({ name, found }: FileState): string {
  return `${name} ${found === undefined ? "is gone" : "was changed by something else"} since the last edit`;
}

/** The bytes to undo an edit are of no use to a reader. */
function withoutUndo<T extends { readonly files: readonly { readonly undo: unknown }[] }>(entry: T): object {
  return { ...entry, files: entry.files.map(({ undo: _, ...file }) => file) };
}
