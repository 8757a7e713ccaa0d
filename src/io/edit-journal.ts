import fs from "node:fs";
import { sha256OfFile } from "./digest.js";
import { MAX_JOURNAL_BYTES } from "./limits.js";
import { isOfThisBoot } from "./owner.js";
import type { PinnedDirectory } from "./pinned-directory.js";

/**
 * The journal of an edit in place. It is in the directory of the edit, whose name is the lock:
 *
 *     owner          token of the editing process, which holds a flock(2) on it
 *     new-0 new-1 …  new content of the files, in the order of the journal
 *     old-0 old-1 …  the files replaced so far
 *     commit.new     the journal; the edit has changed nothing yet
 *     commit         the journal, from the rename to this name on: the new files are the image
 *     abort          the journal once the edit is rolled back: the old files are the image
 */
export interface EditJournal {
  /** The directory that holds the files. */
  readonly directory: { readonly dev: string; readonly ino: string };
  readonly files: readonly JournalFile[];
}

/** A file that the edit replaces: SHA-256 before and after, null if it does not exist, mode and owner of the new file. */
export interface JournalFile {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export const OWNER = "owner";
/** Appended to the owner's token if a flock(2) is held on its file. */
export const LOCKED = "-locked";
export const COMMIT = "commit";
export const ABORT = "abort";
export const UNCOMMITTED = "commit.new";
export const newName = (index: number): string => `new-${index}`;
export const oldName = (index: number): string => `old-${index}`;

/** Progress of an edit: the name of its journal; undefined if no file of the image has changed. */
export type EditState = typeof COMMIT | typeof ABORT | undefined;

export function editState(lock: PinnedDirectory): EditState {
  return ([COMMIT, ABORT] as const).find((name) => lock.stat(name) !== undefined);
}

/** The journal of that name; undefined if it was not written by crimg. */
export function readJournal(lock: PinnedDirectory, state: string): EditJournal | undefined {
  const text = readText(lock, state, MAX_JOURNAL_BYTES);
  try {
    const journal = JSON.parse(text ?? "") as EditJournal;
    const { dev, ino } = journal.directory;
    const isWhole = [dev, ino].every((value) => typeof value === "string") && journal.files.every(isFile);
    return isWhole ? journal : undefined;
  } catch {
    return undefined;
  }
}

/** Token of the editing process; empty if missing. */
export function readOwner(lock: PinnedDirectory): string {
  return readText(lock, OWNER, 200) ?? "";
}

/** Whether a journal names this directory. The device number may change on a reboot. */
export function isAbout(journal: EditJournal, directory: PinnedDirectory, token: string): boolean {
  const { dev, ino } = directory.self();
  const isDevice = !isOfThisBoot(token) || journal.directory.dev === String(dev);
  return isDevice && journal.directory.ino === String(ino);
}

/** The names above, those that a killed run wrote to, and the directory in which one copied a file. */
const MEMBER = /^(owner(\.new)?|commit(\.new)?|abort|(new|old)-\d+)$/;
const COPY = /^new-\d+-\w{6}$/;

/**
 * A member that crimg did not make; undefined for none. Who may rename in the directory of an image can give the name of
 * the lock to another directory of the caller, which is not to be emptied.
 */
export function foreignMember(lock: PinnedDirectory): string | undefined {
  return lock.names().find((name) => {
    const stat = lock.stat(name);
    return stat !== undefined && !(stat.isDirectory() ? COPY.test(name) : MEMBER.test(name));
  });
}

/**
 * Why a journal cannot be applied in `directory`; undefined if every file is as the journal says. `members` are the
 * names it may hold; undefined allows any plain name.
 */
export function distrustFiles(
  directory: PinnedDirectory,
  lock: PinnedDirectory,
  journal: EditJournal,
  members: readonly string[] | undefined,
  state: EditState,
): string | undefined {
  for (const [i, file] of journal.files.entries()) {
    const { name } = file;
    if (!(members?.includes(name) ?? /^[^./\0][^/\0]*$/.test(name)))
      return `it names ${JSON.stringify(name)}, which is not a file of this image`;
    const why = distrustFile(directory, lock, file, i, state);
    if (why !== undefined) return why;
  }
  return undefined;
}

function distrustFile(
  directory: PinnedDirectory,
  lock: PinnedDirectory,
  { name, before, after, mode, uid, gid }: JournalFile,
  i: number,
  state: EditState,
): string | undefined {
  const staged = lock.stat(newName(i));
  if (staged !== undefined) {
    const isPrivate = Number(staged.uid) === process.geteuid?.() && (Number(staged.mode) & 0o7777) === 0o600;
    const isGivenAway =
      Number(staged.uid) === uid && Number(staged.gid) === gid && (Number(staged.mode) & 0o7777) === mode;
    if (!staged.isFile() || staged.nlink !== 1n || !(isPrivate || isGivenAway))
      return `the new ${name} is not the private file that crimg made`;
    if (sha256OfFile(lock.at(newName(i))) !== after) return `the new ${name} does not match the journal`;
  }
  const old = sha256OfFile(lock.at(oldName(i)));
  if (old !== undefined && old !== before) return `the old ${name} does not match the journal`;
  const now = sha256OfFile(directory.at(name));
  const isMissing = directory.stat(name) === undefined;
  if (isMissing ? before !== null && after !== null && old === undefined : now !== before && now !== after)
    return `${name} is neither the old nor the new file`;
  const isPossible =
    state === ABORT
      ? before === null || old !== undefined || now === before
      : after === null || staged !== undefined || now === after;
  return isPossible ? undefined : `the new content of ${name} is missing`;
}

function isFile({ name, before, after, mode, uid, gid }: JournalFile): boolean {
  const areDigests = [before, after].every((digest) => digest === null || /^[0-9a-f]{64}$/.test(digest));
  return typeof name === "string" && areDigests && [mode, uid, gid].every(Number.isInteger) && mode <= 0o777;
}

function readText(directory: PinnedDirectory, name: string, most: number): string | undefined {
  let fd: number | undefined;
  try {
    fd = directory.openFile(name);
    if (fs.fstatSync(fd).size > most) return undefined;
    return fs.readFileSync(fd, "utf8");
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
