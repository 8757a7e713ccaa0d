import type { Editor } from "../editor.js";
import type { OwnedRule, PathRules } from "../path-rules.js";

/** sqlite keeps its rollback journal beside the database while a transaction runs, https://sqlite.org/tempfiles.html */
const JOURNAL = "-journal";

/**
 * Warns of sqlite databases in a transaction that a rule moves. sqlite compares the path that it remembers with the file
 * it has open: in its default journal mode COMMIT then fails and leaves the journal, and later writes are refused.
 */
export function warnOfMovedSqlite(editor: Editor, rules: PathRules<OwnedRule>): void {
  const paths = new Set(editor.namedFiles().map(({ path }) => path));
  for (const journal of paths) {
    const path = journal?.endsWith(JOURNAL) === true ? journal.slice(0, -JOURNAL.length) : undefined;
    if (path !== undefined && paths.has(path) && rules.map(path) !== undefined)
      editor.warnings.add(
        `${path} looks like a sqlite database in a transaction, and sqlite notices that it was moved: unless it keeps the file locked (locking_mode EXCLUSIVE), COMMIT may fail and leave the journal, and later writes are refused until the program opens it anew`,
      );
  }
}
