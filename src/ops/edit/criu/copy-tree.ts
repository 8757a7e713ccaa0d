import fs from "node:fs";
import path from "node:path";
import type { DirectoryTree } from "../../../formats/archive/directory-tree.js";
import { joined, type TreeChanges } from "../../../formats/archive/tree.js";
import { UnsupportedError } from "../../../io/errors.js";
import { createDirectory } from "../../../io/new-directory.js";
import { FileSharer } from "../../../io/share.js";
import { writeSource } from "../../../io/write-file.js";

/**
 * Makes a directory with the files of another one, all or nothing: changed ones written, the others sharing their blocks
 * where the file system can, or copied. Symbolic links stay as they are. Errors: USAGE for what exists; UNSUPPORTED for a
 * link that leads out of the directory, or a file that is neither; IO.
 */
export function copyTree(
  from: DirectoryTree,
  to: string,
  changes: TreeChanges,
  { copy }: { readonly copy: boolean },
): void {
  const sharer = new FileSharer();
  const left = new Map(changes);
  createDirectory(to, from.directory, (temporary) => {
    const fill = (directory: string): void => {
      for (const [name, { type }] of from.list(directory) ?? []) {
        const inside = joined(directory, name);
        const [source, made] = [path.join(from.directory, inside), path.join(temporary, inside)];
        if (name.startsWith(".crimg-") || left.get(inside) === null) continue;
        if (type === "a directory") {
          fs.mkdirSync(made, { mode: 0o700 });
          fill(inside);
        } else if (type === "a symbolic link") fs.symlinkSync(innerLink(source, inside), made);
        else if (type !== "a regular file")
          throw new UnsupportedError(`${type} is not copied`, { file: source });
        else if (!left.has(inside)) sharer.share(source, made, { hardLink: false, copy });
      }
    };
    fill("");
    for (const [inside, content] of left) {
      if (content === null) continue;
      const like = path.join(from.directory, inside);
      const made = path.join(temporary, inside);
      fs.mkdirSync(path.dirname(made), { recursive: true, mode: 0o700 });
      writeSource(made, content, { from: fs.existsSync(like) ? like : from.directory, sync: false });
    }
  });
}

/** Errors: UNSUPPORTED for the target of a link that is not below the directory. */
function innerLink(source: string, inside: string): string {
  const target = fs.readlinkSync(source);
  const resolved = path.join(path.dirname(inside), target);
  if (path.isAbsolute(target) || resolved.startsWith(".."))
    throw new UnsupportedError(`a link that leads out, to ${target}, is not copied`, { file: source });
  return target;
}
