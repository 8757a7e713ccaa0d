import fs from "node:fs";
import { EditError, ioError, UsageError } from "../../../io/errors.js";
import { MAX_ROOT_FILE_BYTES } from "../../../io/limits.js";
import { FileSource } from "../../../io/source.js";
import type { EditKind } from "../kind.js";
import { parseRootPath } from "./rootfs-drop.js";

interface AddedFile {
  readonly path: string;
  readonly from: string;
}

/** `--rootfs-add PATH=FILE`: a file of this host into the changed files of the container's root file system. */
export const rootfsAdd: EditKind<AddedFile> = {
  name: "rootfs-add",
  syntax: "PATH=FILE",
  summary: "put FILE of this host into the container's changed files as PATH, owned by root",
  parse(text) {
    const at = text.indexOf("=");
    if (at === -1 || at === text.length - 1)
      throw new UsageError(`invalid ${JSON.stringify(text)} (expected PATH=FILE)`);
    return { path: parseRootPath(text.slice(0, at)), from: text.slice(at + 1) };
  },
  lookedFor: ({ path }) => `${path} was not added`,
  plan(edits, editor) {
    for (const { edit, args } of edits) {
      const { path, from } = args;
      const source = new FileSource(from);
      if (source.size > MAX_ROOT_FILE_BYTES)
        throw new EditError(`file of ${source.size} bytes (expected at most ${MAX_ROOT_FILE_BYTES})`, {
          file: from,
        });
      try {
        const { mode, mtimeMs } = fs.statSync(from);
        const content = Buffer.from(source.read(0, source.size));
        editor.addRootFile(edit, { path, content, mode: mode & 0o777, mtime: Math.floor(mtimeMs / 1000) });
      } catch (error) {
        throw error instanceof Error && "syscall" in error ? ioError("read", from, error) : error;
      } finally {
        source.close();
      }
    }
  },
};
