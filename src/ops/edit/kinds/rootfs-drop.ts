import { UsageError } from "../../../io/errors.js";
import type { EditKind } from "../kind.js";

/** `--rootfs-drop PATH`: a changed file of the container's root file system, which is as in the container's image again. */
export const rootfsDrop: EditKind<string> = {
  name: "rootfs-drop",
  syntax: "PATH",
  summary: "take PATH, and all below it, out of the container's changed and deleted files",
  parse: parseRootPath,
  lookedFor: (path) => `no changed or deleted file of the container is ${path} or lies below it`,
  plan(edits, editor) {
    for (const { edit, args } of edits) editor.dropRootFile(edit, args);
  },
};

/** An absolute path of a file in the container, without `.` and `..`. Errors: USAGE. */
export function parseRootPath(text: string): string {
  const parts = text.split("/").slice(1);
  if (!text.startsWith("/") || text.includes("\0") || parts.some((part) => ["", ".", ".."].includes(part)))
    throw new UsageError(`invalid path ${JSON.stringify(text)} (expected the absolute path of a file)`);
  return text;
}
