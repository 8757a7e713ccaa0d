import { type Lock, lockName } from "../../../model/lock.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Rule } from "../finding.js";
import type { RootContext } from "./context.js";
import { openedFiles } from "./opened-files.js";
import { isMissing } from "./tree.js";

/** What tasks of this machine do with its files. */
export interface FileUsers {
  /** Who keeps a lock or lease from being taken on the file at a path. */
  conflictsOf(path: string, lock: Lock): readonly string[];
  /** Who can write to the file at a path. */
  writersOf(path: string): readonly string[];
}

/** What rules about files in use look at. */
export interface InUseContext extends RootContext {
  readonly users: FileUsers;
}

/** Rules about files that other tasks of this machine use. */
export const IN_USE_RULES: readonly Rule<InUseContext>[] = [
  {
    id: "LOCK_TAKEN",
    level: "error",
    about: "No other task holds a lock, or has a file open, that keeps a lock or lease from being taken.",
    fix: "End the task that holds it, or drop the lock: crimg edit --lock PID:FD=drop, --lease PID:FD=drop.",
    *check(context) {
      const places = placesByFile(context);
      for (const lock of context.image.checkpoint.locks) {
        const path = lock.file && places.get(lock.file);
        if (path === undefined || typeof lock.kind === "number" || typeof lock.type === "number") continue;
        const [conflict] = context.users.conflictsOf(path, lock);
        if (conflict !== undefined)
          yield {
            at: context.image.placeOf(lock.origin, { pid: lock.pid, fd: lock.fd, path: lock.file?.path }),
            what: `the ${lockName(lock)} cannot be taken`,
            expected: "no conflicting lock, and for a lease no other opener",
            found: conflict,
          };
      }
    },
  },
  {
    id: "PROGRAM_BUSY",
    level: "error",
    about:
      "No other task can write to a program that a task runs: the kernel gives it to no task then (ETXTBSY).",
    fix: "End the task that has the program open for writing.",
    *check(context) {
      const places = placesByFile(context);
      const told = new Set<string>();
      for (const { pid, exe } of context.image.checkpoint.tasks) {
        const path = exe && places.get(exe);
        if (exe === undefined || path === undefined || told.has(path)) continue;
        told.add(path);
        const [writer] = context.users.writersOf(path);
        if (writer !== undefined)
          yield {
            at: context.image.placeOf(exe.origin, { pid, path: exe.path }),
            what: "the program is open for writing, so that no task can run it",
            expected: "no writer",
            found: writer,
          };
      }
    },
  },
];

/** Where files that restore opens by path are on this machine. */
function placesByFile({ image, tree }: InUseContext): ReadonlyMap<OpenFile, string> {
  return new Map(
    image.share(openedFiles).flatMap((opened) => {
      const found = tree.find(opened.place, opened);
      return isMissing(found) ? [] : [[opened.file, found.path] as const];
    }),
  );
}
