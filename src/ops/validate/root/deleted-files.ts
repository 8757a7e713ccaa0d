import { posix } from "node:path";
import { mountRoot } from "../../../io/mount-root.js";
import type { DeletedFile } from "../../../model/open-file.js";
import type { Rule } from "../finding.js";
import type { RootContext } from "./context.js";
import { mountPlaces } from "./opened-files.js";
import { isMissing, type OnDisk } from "./tree.js";

/** Rules about files that had been deleted at the dump, and where they come back. */
export const deletedOnDiskRules: readonly Rule<RootContext>[] = [
  {
    id: "LINK_REMAP",
    level: "error",
    about: "The hard link or the copy that keeps a deleted file is where it was: it is not part of the set.",
    fix: "Copy the link from where the set was made, or make a hard link of the file under that name; without it the file's contents are lost.",
    *check(context) {
      for (const deleted of [...deletedFiles(context, "link remap"), ...deletedFiles(context, "copy")]) {
        const kept = posix.join(topOf(context, deleted), deleted.keptIn);
        const found = context.tree.find(deleted.place(kept));
        if (isMissing(found))
          yield {
            at: { ...deleted.origin, path: deleted.keptIn },
            what: `the ${deleted.method === "copy" ? "copy" : "hard link"} that keeps ${deleted.path ?? "a deleted file"} is missing`,
            expected: context.tree.pathOf(deleted.place(kept)),
            found: found.missing === kept ? "none" : `no ${found.missing}`,
          };
      }
    },
  },
  {
    id: "GHOST_DIRECTORY",
    level: "error",
    about:
      "Where a deleted file comes back for a moment, criu can make it, and the directories that are gone too.",
    fix: "Let the user who restores write to the directory.",
    *check(context) {
      const told = new Set<string>();
      for (const deleted of [...deletedFiles(context, "ghost"), ...deletedFiles(context, "link remap")]) {
        if (deleted.path === undefined) continue;
        const directory = nearest(context, deleted.place(posix.dirname(deleted.path)));
        if (directory === undefined || told.has(directory.path)) continue;
        told.add(directory.path);
        const isDirectory = directory.stat.isDirectory();
        if (isDirectory && context.tree.isWritable(directory)) continue;
        yield {
          at: { ...deleted.origin, path: deleted.path },
          what: "the deleted file cannot be made there for the moment of its restore",
          expected: `a directory that can be written: ${directory.path}`,
          found: isDirectory ? "not writable" : "no directory",
        };
      }
    },
  },
  {
    id: "GHOST_PATH_TAKEN",
    level: "note",
    about: "No new file has taken the path of a deleted one (as after a log rotation).",
    fix: "Nothing is to be done: the descriptor leads to the old contents, /proc shows it with another name.",
    *check(context) {
      for (const deleted of [...deletedFiles(context, "ghost"), ...deletedFiles(context, "link remap")])
        if (deleted.path !== undefined && !isMissing(context.tree.find(deleted.place(deleted.path))))
          yield {
            at: { ...deleted.origin, path: deleted.path },
            what: "another file has the path of the deleted one",
          };
    },
  },
];

/** The directory that the path of a link counts from: in streams the top of its file system, unless they say otherwise. */
function topOf({ tree }: RootContext, { isInMount, path }: DeletedFile): string {
  return isInMount ? mountRoot(tree.root, path ?? "/") : "/";
}

/** The directory, or the nearest one above it that is there. */
function nearest({ tree }: RootContext, directory: string): OnDisk | undefined {
  const found = tree.find(directory);
  if (!isMissing(found)) return found;
  const above = tree.find(posix.dirname(found.missing));
  return isMissing(above) ? undefined : above;
}

interface PlacedFile extends DeletedFile {
  readonly place: (path: string) => string;
}

/** Deleted files that come back on the root file system. */
function deletedFiles({ image }: RootContext, method: DeletedFile["method"]): PlacedFile[] {
  const places = image.share(mountPlaces);
  return image.checkpoint.deletedFiles.flatMap((deleted) => {
    if (deleted.method !== method) return [];
    const mount = image.checkpoint.files.get(deleted.fileId, "REG")?.record.mnt_id as number | undefined;
    if (deleted.path !== undefined && places(mount, deleted.path) === undefined) return [];
    return [{ ...deleted, place: (path: string) => places(mount, path) ?? path }];
  });
}
