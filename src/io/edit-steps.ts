/** The steps of an edit in place after its commit, forward and back. Each is idempotent. */
import fs from "node:fs";
import {
  ABORT,
  COMMIT,
  type EditJournal,
  editState,
  type JournalFile,
  newName,
  OWNER,
  oldName,
} from "./edit-journal.js";
import { CrimgError, ioError } from "./errors.js";
import type { PinnedDirectory } from "./pinned-directory.js";

/** An edit in place whose directory, lock and journal are open. */
export interface OpenEdit {
  readonly directory: PinnedDirectory;
  readonly lock: PinnedDirectory;
  readonly journal: EditJournal;
}

/**
 * Puts the new files in place. If one cannot be replaced (an immutable one, say), all old files are restored.
 * Errors: IO, with the state of the image.
 */
export function carryOut(edit: OpenEdit): void {
  const { directory, lock, journal } = edit;
  let at = directory.path;
  try {
    directory.sync();
    for (const [i, file] of journal.files.entries()) {
      at = `${directory.path}/${file.name}`;
      putNew(edit, file, i);
    }
    directory.sync();
  } catch (error) {
    const { text } = ioError("replace", at, error);
    fs.renameSync(lock.at(COMMIT), lock.at(ABORT));
    takeBack(edit);
    throw new CrimgError("IO", `${text}; the edit was rolled back, no file was changed`, {
      file: at,
      cause: error,
    });
  }
  fs.unlinkSync(lock.at(COMMIT));
  lock.sync();
}

/** Restores the old files. Errors: IO if that fails too. */
export function takeBack({ directory, lock, journal }: OpenEdit): void {
  let at = directory.path;
  try {
    lock.sync();
    for (let i = journal.files.length - 1; i >= 0; i--) {
      const file = journal.files[i] as JournalFile;
      at = `${directory.path}/${file.name}`;
      putOld(directory, lock, file, i);
    }
    directory.sync();
  } catch (error) {
    const { text } = ioError("restore the old file", at, error);
    throw new CrimgError(
      "IO",
      `${text}; the image now has a mix of old and new files; fix the cause and run crimg recover`,
      { file: at, cause: error },
    );
  }
  fs.unlinkSync(lock.at(ABORT));
  lock.sync();
}

/**
 * Removes a lock or a stage without a journal: all files in it, the owner's last. A file that a concurrent recovery has
 * removed already is not an error. Errors: those of the system.
 */
export function discard(directory: PinnedDirectory, name: string, lock: PinnedDirectory): void {
  for (const each of lock.names())
    if (each !== OWNER) fs.rmSync(lock.at(each), { force: true, recursive: true });
  fs.rmSync(lock.at(OWNER), { force: true });
  if (directory.stat(name)?.ino === lock.self().ino) fs.rmdirSync(directory.at(name));
}

/** Discards a finished edit as far as possible; the rest, such as a name of an immutable file, is left to the next edit. */
export function discardEnded(directory: PinnedDirectory, name: string, lock: PinnedDirectory): void {
  try {
    if (editState(lock) === undefined) discard(directory, name, lock);
  } catch {
    // The next edit, or crimg recover, removes it or reports why it cannot.
  }
}

function putNew({ directory, lock }: OpenEdit, file: JournalFile, i: number): void {
  const { name, before, after } = file;
  const hasOld = lock.stat(oldName(i)) !== undefined;
  if (after === null) {
    if (!hasOld && directory.stat(name) !== undefined) fs.renameSync(directory.at(name), lock.at(oldName(i)));
    return;
  }
  if (lock.stat(newName(i)) === undefined) return;
  if (before !== null && !hasOld) keepOld(directory.at(name), lock.at(oldName(i)));
  giveAway(lock, file, i);
  fs.renameSync(lock.at(newName(i)), directory.at(name));
}

/** A hard link keeps the name in place; not all file systems have them, and not all callers may create them. */
function keepOld(from: string, to: string): void {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!["EPERM", "EOPNOTSUPP", "ENOTSUP", "EMLINK", "ENOSYS"].includes(code ?? "")) throw error;
    fs.renameSync(from, to);
  }
}

/** An image holds a program's memory and keeps its owner, as far as the caller may change it. */
function giveAway(lock: PinnedDirectory, { mode, uid, gid }: JournalFile, i: number): void {
  const fd = lock.openFile(newName(i));
  try {
    const own = fs.fstatSync(fd);
    if (own.uid !== uid || own.gid !== gid) {
      try {
        fs.fchownSync(fd, uid, gid);
      } catch {
        // Only root may change it.
      }
    }
    fs.fchmodSync(fd, mode);
  } finally {
    fs.closeSync(fd);
  }
}

function putOld(
  directory: PinnedDirectory,
  lock: PinnedDirectory,
  { name, before, after }: JournalFile,
  i: number,
): void {
  const old = lock.stat(oldName(i));
  if (old !== undefined) {
    // A second name of the file, which may be immutable by now, is left to `discard`.
    if (old.ino !== directory.stat(name)?.ino) fs.renameSync(lock.at(oldName(i)), directory.at(name));
  } else if (before === null && after !== null && lock.stat(newName(i)) === undefined)
    fs.rmSync(directory.at(name), { force: true });
}
