import fs from "node:fs";
import { sha256OfFile } from "./digest.js";
import { MAX_JOURNAL_BYTES } from "./limits.js";
import { isOfThisBoot } from "./owner.js";
import type { PinnedDirectory } from "./pinned-directory.js";

/**
 * The record of an edit in place. It lies in the directory of the edit, whose name is the lock:
 *
 *     owner          who edits; a flock(2) on it is held meanwhile
 *     new-0 new-1 …  new content of the files, in the order of the record
 *     old-0 old-1 …  the files that these have replaced so far
 *     commit.new     the record; the edit has changed nothing yet
 *     commit         the record, from the rename that makes this file: the new files are the image
 *     abort          the record once the edit is taken back: the old files are the image
 */
export interface EditJournal {
  /** The directory that holds the files. */
  readonly directory: { readonly dev: string; readonly ino: string };
  readonly files: readonly JournalFile[];
}

/** A file that the edit replaces: SHA-256 before and after, null where it is not there, and what the new one gets. */
export interface JournalFile {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export const OWNER = "owner";
/** Stands behind the owner's token when a flock(2) is held on its file. */
export const LOCKED = "-locked";
export const COMMIT = "commit";
export const ABORT = "abort";
export const UNCOMMITTED = "commit.new";
export const newName = (index: number): string => `new-${index}`;
export const oldName = (index: number): string => `old-${index}`;

/** How far an edit came: the name of its record; undefined when no file of the image has changed. */
export type EditState = typeof COMMIT | typeof ABORT | undefined;

export function editState(lock: PinnedDirectory): EditState {
  return ([COMMIT, ABORT] as const).find((name) => lock.stat(name) !== undefined);
}

/** The record of that name; undefined for what crimg has not written. */
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

/** Token of who edits; empty when that is not told. */
export function readOwner(lock: PinnedDirectory): string {
  return readText(lock, OWNER, 200) ?? "";
}

/** The directory that a record names. The device's number may be another after a boot. */
export function isAbout(journal: EditJournal, directory: PinnedDirectory, token: string): boolean {
  const { dev, ino } = directory.self();
  const isDevice = !isOfThisBoot(token) || journal.directory.dev === String(dev);
  return isDevice && journal.directory.ino === String(ino);
}

/** What is wrong with an entry that is to be crimg's own; undefined for a private directory of the caller. */
export function distrustEntry(stat: fs.BigIntStats): string | undefined {
  if (stat.isSymbolicLink()) return "it is a symbolic link";
  if (!stat.isDirectory()) return "it is no directory";
  if (Number(stat.uid) !== process.geteuid?.()) return `it belongs to uid ${stat.uid}`;
  return (stat.mode & 0o77n) === 0n ? undefined : "others may read or write it";
}

/** Who besides the caller could have moved things about in a directory; undefined for nobody. */
export function distrustDirectory(directory: PinnedDirectory): string | undefined {
  const { uid, mode } = directory.self();
  if (uid !== 0n && Number(uid) !== process.geteuid?.())
    return `the directory belongs to uid ${uid}, who can change what is in it`;
  // In a sticky directory nobody but the owner of a file can rename or remove it, unlink(2).
  const isShared = (mode & 0o22n) !== 0n && (mode & 0o1000n) === 0n;
  return isShared ? "others may write into the directory" : undefined;
}

/**
 * Why a record cannot be carried out in `directory`; undefined when every file is what the record says. `members` are the
 * names it may hold; undefined stands for any plain name.
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
      return `it names ${JSON.stringify(name)}, which is no file of this image`;
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
    if (sha256OfFile(lock.at(newName(i))) !== after) return `the new ${name} is not what the record says`;
  }
  const old = sha256OfFile(lock.at(oldName(i)));
  if (old !== undefined && old !== before) return `the old ${name} is not what the record says`;
  const now = sha256OfFile(directory.at(name));
  const isMissing = directory.stat(name) === undefined;
  if (isMissing ? before !== null && after !== null && old === undefined : now !== before && now !== after)
    return `${name} is neither the old nor the new file`;
  const isPossible =
    state === ABORT
      ? before === null || old !== undefined || now === before
      : after === null || staged !== undefined || now === after;
  return isPossible ? undefined : `the bytes that ${name} is to have are not there`;
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
