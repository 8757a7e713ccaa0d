import { UsageError } from "../../../io/errors.js";
import type { DeletedEdit } from "../editor.js";
import type { EditKind } from "../kind.js";

/** `--deleted PATH=contents|relink:PATH|copy:PATH`: how a deleted file comes back. */
export const deleted: EditKind<DeletedEdit> = {
  name: "deleted",
  syntax: "PATH=contents|relink:PATH|copy:PATH",
  summary:
    "how a deleted file of a stream comes back: its bytes in the image, a hard link on disk, or a copy that is written now",
  parse(text) {
    const [, path, word, to = ""] = /^(\/.*?)=(contents|relink|copy)(?::(.+))?$/s.exec(text) ?? [];
    if (path === undefined || word === undefined || (word === "contents") !== (to === ""))
      throw new UsageError(
        `invalid ${JSON.stringify(text)} (expected PATH=contents, relink:PATH or copy:PATH)`,
      );
    if (to !== "" && (!to.startsWith("/") || /(^|\/)\.\.?(\/|$)/.test(to) || text.includes("\0")))
      throw new UsageError(`invalid path ${JSON.stringify(to)} (expected an absolute path without . and ..)`);
    return { path, method: word as DeletedEdit["method"], to };
  },
  lookedFor: ({ path }) => `no open or mapped file that was deleted had the name ${path}`,
  plan(edits, editor) {
    for (const { edit, args } of edits) editor.changeDeleted(edit, args);
  },
};
