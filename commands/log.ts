import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { headFlag, imageArg, keptHead } from "../src/cli/flags.js";
import { chainJson, chainLines, chainProblem } from "../src/cli/log-lines.js";
import { editHistory, type FileState, type LogEntry, openDocument } from "../src/index.js";

export default class Log extends BaseCommand<typeof Log> {
  static override summary = "show the edits made to an image, and verify its files";
  static override description =
    `The log of an image set is crimg-edits.jsonl in its directory; in an archive it
is a member beside the images; that of a linux-cr stream is FILE.crimg-log beside it. Each
file changed by an edit is compared by SHA-256 with the result of the edit.

Each entry holds the SHA-256 of the line before it, so that no single entry can be changed, moved, added or removed: the
chain proves the order and content of the edits, and that the bytes which undo would restore belong to them. It does not
protect against someone who can write the last line: whoever can write the whole log can make another chain. Keep the head,
the SHA-256 of the last line (tail -n 1 LOG | sha256sum), where nobody else can write; --head then verifies the log up to
that edit. Older logs without a chain are read and reported as such.

Exit status: 0 all files match the log and the chain is intact, 1 a file or the log was changed otherwise, 2 trouble.`;
  static override examples = [
    { description: "list the edits", command: "<%= config.bin %> log IMG" },
    { description: "with all old and new values", command: "<%= config.bin %> log IMG --json" },
    {
      description: "verify against a head kept elsewhere",
      command: '<%= config.bin %> log IMG --head "$(cat kept-head)"',
    },
  ];
  static override json = {
    image: "path of the set or stream",
    set: "the same, an older name",
    edits:
      "list of {previous: SHA-256 of the line before, null for the first, absent if not chained; crimg: version, time, edits, files: list of {name, before, after: SHA-256}, changes}, oldest first",
    chain:
      "{head: SHA-256 of the last line, intact, unchained: number of edits at the start without a chain, broken: null or {entry, expected, found}; with --head kept: {head, entry: the edit it belongs to, or null}}; entries are numbered from 1",
    files: "list of {name, expected, found: SHA-256 in the log and of the file}",
  };
  static override args = { IMG: imageArg };
  static override flags = { head: headFlag("head that was kept; the log must contain it") };

  async run(): Promise<Answer> {
    const kept = keptHead(this.flags.head);
    const document = openDocument(this.image, this.looking);
    try {
      const { entries, files, ...history } = editHistory(document);
      const chain = chainJson(history.chain, kept);
      const problem = chainProblem(chain);
      const changed = files.filter(({ expected, found }) => expected !== found);
      const exit = this.answering(changed.length > 0 || problem !== undefined ? EXIT.no : EXIT.ok);
      if (this.flags.json)
        this.printJson({
          image: document.name,
          set: document.name,
          edits: entries.map(withoutUndo),
          chain,
          files,
        });
      else {
        if (entries.length === 0) this.print(`no edits in ${document.name}`);
        else {
          this.#printEntries(entries);
          this.print(`head ${chain.head}`);
          for (const line of chainLines(entries, chain)) this.note(`note: ${line}`);
        }
        if (problem !== undefined) this.warn(problem);
        for (const file of changed) this.warn(sentence(file));
      }
      return exit;
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
  return `${name} ${found === undefined ? "was removed" : "was changed by another program"} since the last edit`;
}

/** The bytes to undo an edit are of no use to a reader. */
function withoutUndo<T extends { readonly files: readonly { readonly undo: unknown }[] }>(entry: T): object {
  return { ...entry, files: entry.files.map(({ undo: _, ...file }) => file) };
}
