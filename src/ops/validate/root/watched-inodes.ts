import fs from "node:fs";
import { posix } from "node:path";
import type { InotifyFileEntry } from "../../../formats/criu/tables/fsnotify.js";
import { fsPath } from "../../../io/rooted-path.js";
import type { Rule } from "../finding.js";
import { filesByType } from "../references/source.js";
import type { SetRootContext } from "./context.js";
import { openedFiles } from "./opened-files.js";
import { isMissing } from "./tree.js";

/** Names that are looked at for watched inodes. */
const MAX_NAMES = 20_000;

/** Rules about what inotify watches by a file handle alone, as criu stores it when the file system can open handles. */
export const watchedInodeRules: readonly Rule<SetRootContext>[] = [
  {
    id: "INOTIFY_HANDLE",
    level: "warning",
    about:
      "What inotify watches by a file handle without a path is there, and no symbolic link: criu cannot open the handle otherwise.",
    fix: "Restore on the file system of the dump, drop the descriptor with crimg edit --drop-fd PID:FD, or dump again with --force-irmap.",
    *check(context) {
      const watches = handleWatches(context);
      if (watches.length === 0) return;
      const near = namesNear(context);
      for (const { at, wd, inode } of watches) {
        const name = near.get(inode);
        if (name === undefined)
          yield {
            at,
            what: `what watch ${wd} looks at was not found near the open files, and only its file handle is known`,
            expected: `the inode ${inode} on the file system of the dump`,
          };
        else if (name.isLink)
          yield {
            at: { ...at, path: name.path },
            what: `watch ${wd} looks at a symbolic link itself, which criu cannot open by its handle`,
            expected: "a file or directory",
            found: "a symbolic link",
            level: "error",
          };
      }
    },
  },
];

function handleWatches({ image }: SetRootContext) {
  return (image.share(filesByType).get("INOTIFY") ?? []).flatMap((file) =>
    (file.record as InotifyFileEntry).wd.flatMap(({ wd, i_ino, f_handle }) =>
      f_handle.path === undefined ? [{ at: file.origin, wd, inode: i_ino }] : [],
    ),
  );
}

/** What lies in directories of the open files and above them, by inode. */
function namesNear({
  image,
  tree,
}: SetRootContext): ReadonlyMap<bigint, { readonly path: string; readonly isLink: boolean }> {
  const near = new Map<bigint, { path: string; isLink: boolean }>();
  const seen = new Set<string>();
  const add = (path: string): void => {
    const stat = fs.lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
    if (stat !== undefined) near.set(stat.ino, { path, isLink: stat.isSymbolicLink() });
  };
  const list = (directory: string): void => {
    for (let at = directory; !seen.has(at) && near.size < MAX_NAMES; at = posix.dirname(at)) {
      seen.add(at);
      add(at);
      for (const name of namesIn(at).slice(0, MAX_NAMES - near.size)) add(posix.join(at, name));
    }
  };
  for (const opened of image.share(openedFiles)) {
    const found = tree.find(opened.place, opened);
    if (!isMissing(found)) list(found.stat.isDirectory() ? found.path : posix.dirname(found.path));
  }
  return near;
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(fsPath(directory));
  } catch {
    return [];
  }
}
