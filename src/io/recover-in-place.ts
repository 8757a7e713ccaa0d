/** Recovery of an interrupted edit in place: finished, rolled back, or left alone with an error. */
import fs from "node:fs";
import {
  COMMIT,
  distrustFiles,
  type EditState,
  editState,
  foreignMember,
  isAbout,
  LOCKED,
  OWNER,
  readJournal,
  readOwner,
} from "./edit-journal.js";
import { carryOut, discard, discardEnded, takeBack } from "./edit-steps.js";
import { CrimgError, EditError, ioError, isCrimgError } from "./errors.js";
import { type LockHolder, tryLock } from "./file-lock.js";
import { isLocal, ownerState, ownerText } from "./owner.js";
import { PinnedDirectory } from "./pinned-directory.js";
import { distrustDirectory, distrustEntry } from "./trust.js";

/** Where an image is edited in place. */
export interface EditPlace {
  /** The image's directory, a set; the one that holds the file, for a stream. */
  readonly directory: string;
  /** Name of the lock in it. */
  readonly lock: string;
  /** Names that an edit may replace; undefined for a set, where it may replace all. */
  readonly members: readonly string[] | undefined;
}

export const STAGE = ".crimg-stage-";

/** What was found and done: nothing, the edit finished, rolled back, or its staged files removed. */
export type Recovery = "nothing" | "finished" | "taken back" | "removed";

export interface RecoverOptions {
  /** Recover even if other users can write to the directory, or if it is unknown whether the owner still runs. */
  readonly force?: boolean | undefined;
}

/**
 * Finishes or rolls back an interrupted edit in place, if crimg wrote its journal for this image and this caller.
 * Errors: EDIT if the edit is in progress or its journal is not trusted, which is then left alone; IO.
 */
export function recoverInPlace(place: EditPlace, options: RecoverOptions = {}): Recovery {
  const directory = PinnedDirectory.open(place.directory);
  try {
    directory.assertPinned();
    const removed = removeStages(directory);
    const found = recoverLock(directory, place, options);
    return found === "nothing" && removed ? "removed" : found;
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("remove the remains of an edit", place.directory, error);
  } finally {
    directory.close();
  }
}

function recoverLock(
  directory: PinnedDirectory,
  { lock: name, members }: EditPlace,
  { force = false }: RecoverOptions,
): Recovery {
  const stat = directory.stat(name);
  if (stat === undefined) return "nothing";
  const why = distrustEntry(stat);
  if (why !== undefined) leaveAlone(directory, name, why);
  const lock = directory.directory(name);
  let owned: number | undefined;
  try {
    const found = distrustEntry(lock.self());
    if (found !== undefined) leaveAlone(directory, name, found);
    const foreign = foreignMember(lock);
    if (foreign !== undefined) leaveAlone(directory, name, `it has ${JSON.stringify(foreign)}`);
    const owner = readOwner(lock);
    const { fd, holder } = lockOwner(lock);
    owned = fd;
    // Another recovery has done it between opening and locking.
    if (fd !== undefined && lock.stat(OWNER) === undefined) return "nothing";
    assertEnded(directory, name, owner, holder, force);
    const state = editState(lock);
    if (state !== undefined && owner === "") leaveAlone(directory, name, "its owner is missing");
    const done = state === undefined ? "removed" : follow(directory, lock, name, members, state, force);
    discard(directory, name, lock);
    return done;
  } finally {
    if (owned !== undefined) fs.closeSync(owned);
    lock.close();
  }
}

function follow(
  directory: PinnedDirectory,
  lock: PinnedDirectory,
  name: string,
  members: readonly string[] | undefined,
  state: NonNullable<EditState>,
  force: boolean,
): Recovery {
  const journal = readJournal(lock, state);
  if (journal === undefined) return leaveAlone(directory, name, "its journal is damaged");
  if (!isAbout(journal, directory, readOwner(lock)))
    return leaveAlone(directory, name, "its journal is for another directory");
  const shared = force ? undefined : distrustDirectory(directory);
  if (shared !== undefined) return leaveAlone(directory, name, `${shared} (override with --force)`);
  const why = distrustFiles(directory, lock, journal, members, state);
  if (why !== undefined) return leaveAlone(directory, name, why);
  const edit = { directory, lock, journal };
  if (state !== COMMIT) {
    takeBack(edit);
    return "taken back";
  }
  try {
    carryOut(edit);
  } catch (error) {
    discardEnded(directory, name, lock);
    throw error;
  }
  return "finished";
}

/** Removes files staged by dead processes of this caller. Returns whether there were any. */
function removeStages(directory: PinnedDirectory): boolean {
  let removed = false;
  for (const name of directory.names()) {
    if (!name.startsWith(STAGE)) continue;
    const stat = directory.stat(name);
    if (stat === undefined || distrustEntry(stat) !== undefined) continue;
    const stage = directory.directory(name);
    const { fd, holder } = lockOwner(stage);
    try {
      if (distrustEntry(stage.self()) !== undefined || foreignMember(stage) !== undefined) continue;
      const token = fd === undefined ? name.slice(STAGE.length) : readOwner(stage);
      if (hasEnded(token, holder, directory.path) !== true) continue;
      discard(directory, name, stage);
      removed = true;
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
      stage.close();
    }
  }
  return removed;
}

/** Locks the owner's file, so that only one of several recoveries proceeds. */
function lockOwner(lock: PinnedDirectory): { readonly fd: number | undefined; readonly holder: LockHolder } {
  if (!lock.stat(OWNER)?.isFile()) return { fd: undefined, holder: "unsupported" };
  const fd = lock.openFile(OWNER, fs.constants.O_RDWR);
  return { fd, holder: tryLock(fd) };
}

function assertEnded(
  directory: PinnedDirectory,
  name: string,
  owner: string,
  holder: LockHolder,
  force: boolean,
): void {
  // Killed between removing the owner's file and the directory.
  if (owner === "" && holder === "unsupported") return;
  const ended = hasEnded(owner, holder, directory.path);
  if (ended === true || (ended === undefined && force)) return;
  const file = `${directory.path}/${name}`;
  if (ended === false)
    throw new EditError(`${ownerText(owner)} is editing this image; try again later`, { file });
  throw new EditError(
    `${ownerText(owner)} was editing this image, and may still be running; if it is not, run crimg recover --force`,
    { file },
  );
}

/** Whether the process that holds a lock has ended: by its flock(2) if supported, else by /proc. */
function hasEnded(token: string, holder: LockHolder, directory: string): boolean | undefined {
  if (holder === "theirs") return false;
  const state = ownerState(token, directory);
  if (state !== "unknown") return state === "dead";
  return holder === "ours" && token.endsWith(LOCKED) && isLocal(directory) ? true : undefined;
}

function leaveAlone(directory: PinnedDirectory, name: string, why: string): never {
  throw new CrimgError(
    "EDIT",
    `not a trusted edit journal of this image: ${why}; left alone, remove it if it is not needed`,
    { file: `${directory.path}/${name}` },
  );
}
