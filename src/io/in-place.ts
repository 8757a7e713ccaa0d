/**
 * Replaces files of a directory, all or none, even if the program or the machine is killed.
 *
 *     .crimg-stage-OWNER/    new files are written here and synced; nothing else has changed
 *     .crimg-edit/           the same directory renamed: the lock, one writer at a time (edit-journal.ts)
 *     .crimg-edit/commit     from the rename to this name on, the new files are the image
 *
 * After the commit the old files are kept in the lock while the new ones are renamed over them, so that an edit that
 * cannot be finished is rolled back (edit-steps.ts). The directories are accessed through descriptors only.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { sha256OfFile } from "./digest.js";
import {
  COMMIT,
  type EditJournal,
  type JournalFile,
  LOCKED,
  newName,
  OWNER,
  UNCOMMITTED,
} from "./edit-journal.js";
import { carryOut, discardEnded } from "./edit-steps.js";
import { CrimgError, EditError, ioError, isCrimgError } from "./errors.js";
import { tryLock } from "./file-lock.js";
import { ownerToken } from "./owner.js";
import { PinnedDirectory } from "./pinned-directory.js";
import { privateMode } from "./private-file.js";
import { type EditPlace, recoverInPlace, STAGE } from "./recover-in-place.js";
import type { ByteSource } from "./source.js";
import { distrustEntry } from "./trust.js";
import { writeSource } from "./write-file.js";

/** New content of the files by name; null removes a file. */
export type Replacements = ReadonlyMap<string, ByteSource | null>;

/** SHA-256 of a file before and after; null if it does not exist. */
export interface FileDigests {
  readonly before: string | null;
  readonly after: string | null;
}

export interface ReplaceOptions {
  /** Expected digests of the files; the new ones must match. */
  readonly digests?: ReadonlyMap<string, FileDigests>;
  /**
   * Called once no other writer can interfere, with the path of a file of the pinned directory; if it returns false,
   * nothing is done.
   */
  isUnchanged(pathOf: (name: string) => string): boolean;
}

/**
 * Replaces files of an image, all or none. Errors: EDIT if another edit is in progress or the files have changed; IO, also
 * if a file cannot be replaced, after which all are unchanged.
 */
export function replaceInPlace(place: EditPlace, files: Replacements, options: ReplaceOptions): void {
  recoverInPlace(place);
  const directory = PinnedDirectory.open(place.directory);
  let stage: Stage | undefined;
  try {
    stage = makeStage(directory);
    const journal = writeStage(directory, stage.lock, files, options);
    takeLock(directory, stage, place.lock);
    if (!options.isUnchanged((name) => directory.at(name)))
      throw new EditError("the image was changed by another program; nothing was done", {
        file: place.directory,
      });
    const { lock } = stage;
    fs.renameSync(lock.at(UNCOMMITTED), lock.at(COMMIT));
    lock.sync();
    carryOut({ directory, lock, journal });
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("edit in place", place.directory, error);
  } finally {
    if (stage !== undefined) endStage(directory, stage);
    directory.close();
  }
}

/** The directory of an edit; its name changes when it becomes the lock. */
interface Stage {
  name: string;
  readonly lock: PinnedDirectory;
  /** Holds the flock(2). */
  readonly owner: number;
}

function makeStage(directory: PinnedDirectory): Stage {
  const token = ownerToken();
  const name = `${STAGE}${token}-${randomBytes(4).toString("hex")}`;
  fs.mkdirSync(directory.at(name), { mode: 0o700 });
  const lock = directory.directory(name);
  const why = distrustEntry(lock.self());
  if (why !== undefined || lock.names().length > 0)
    throw new EditError(`the new directory was not made by this process: ${why ?? "it has files"}`, {
      file: lock.path,
    });
  const fresh = lock.at(`${OWNER}.new`);
  const owner = fs.openSync(fresh, "wx", 0o600);
  fs.writeSync(owner, tryLock(owner) === "ours" ? token + LOCKED : token);
  fs.renameSync(fresh, lock.at(OWNER));
  return { name, lock, owner };
}

/** An unfinished edit is left as it is: the next edit or `crimg recover` follows its journal. */
function endStage(directory: PinnedDirectory, { name, lock, owner }: Stage): void {
  discardEnded(directory, name, lock);
  fs.closeSync(owner);
  lock.close();
}

function writeStage(
  directory: PinnedDirectory,
  lock: PinnedDirectory,
  files: Replacements,
  { digests }: ReplaceOptions,
): EditJournal {
  const all: JournalFile[] = [];
  for (const [name, content] of files) {
    const file = `${directory.path}/${name}`;
    if (directory.stat(name)?.isFile() === false)
      throw new EditError("not a regular file; not edited", { file });
    const known = digests?.get(name);
    const before = known === undefined ? (sha256OfFile(directory.at(name)) ?? null) : known.before;
    const after = content === null ? null : (writeStaged(lock, newName(all.length), content) ?? null);
    if (known !== undefined && after !== known.after)
      throw new EditError("changed by another program while being read; nothing was done", { file });
    all.push({ name, before, after, ...modelFor(directory, [name, ...files.keys()]) });
  }
  const { dev, ino } = directory.self();
  const journal: EditJournal = { directory: { dev: String(dev), ino: String(ino) }, files: all };
  const fd = fs.openSync(lock.at(UNCOMMITTED), "wx", 0o600);
  fs.writeFileSync(fd, JSON.stringify(journal));
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  lock.sync();
  return journal;
}

/** Returns the SHA-256 of the written bytes. */
function writeStaged(lock: PinnedDirectory, name: string, content: ByteSource): string | undefined {
  writeSource(lock.at(name), content, { sync: false });
  const fd = lock.openFile(name);
  try {
    fs.fchmodSync(fd, 0o600);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  return sha256OfFile(lock.at(name));
}

/** Mode and owner of an existing file; a new one, such as the first log, is private, with the owner of a neighbour. */
function modelFor(
  directory: PinnedDirectory,
  names: readonly string[],
): Pick<JournalFile, "mode" | "uid" | "gid"> {
  for (const name of names) {
    const stat = directory.stat(name);
    if (stat?.isFile()) {
      const mode = name === names[0] ? Number(stat.mode) & 0o777 : privateMode(Number(stat.mode));
      return { mode, uid: Number(stat.uid), gid: Number(stat.gid) };
    }
  }
  return { mode: 0o600, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

/** A rename onto a non-empty directory fails, so only one writer gets the name. */
function takeLock(directory: PinnedDirectory, stage: Stage, name: string): void {
  try {
    fs.renameSync(directory.at(stage.name), directory.at(name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const file = `${directory.path}/${name}`;
    if (code === "ENOTDIR")
      throw new CrimgError("EDIT", "cannot lock the image: this exists and is not a directory", { file });
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    throw new EditError("another crimg edit of this image is in progress; try again later", { file });
  }
  stage.name = name;
  if (directory.stat(name)?.ino !== stage.lock.self().ino)
    throw new EditError("another program renames files here; nothing was done", { file: directory.path });
}
