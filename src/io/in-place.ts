/**
 * Replacing files of a directory all or none, whatever kills the program or the machine.
 *
 *     .crimg-stage-OWNER/    new files are written here and synced; nothing else has changed
 *     .crimg-edit/           the same directory renamed: the lock, one writer at a time
 *     .crimg-edit/commit     from the rename that makes this file on, the new files are the set
 *
 * After the commit the new files are renamed over the old ones; whoever opens the directory finishes that. Without
 * a commit whoever opens it removes what a dead writer left. Each step is one rename, so there is no moment
 * between the two, and each may be done twice.
 */
import fs from "node:fs";
import path from "node:path";
import { CrimgError, ioError } from "./errors.js";
import { isOwnerAlive, ownerToken } from "./owner.js";
import type { ByteSource } from "./source.js";
import { modelFor, syncDirectory, writeSource } from "./write-file.js";

const STAGE = ".crimg-stage-";
const LOCK = ".crimg-edit";
const COMMIT = "commit";
const OWNER = "owner";

/** New content of the files by name; null removes a file. */
export type Replacements = ReadonlyMap<string, ByteSource | null>;

interface Commit {
  readonly replace: readonly { readonly staged: string; readonly name: string }[];
  readonly remove: readonly string[];
}

/**
 * Replaces files of `directory`, all or none. `isUnchanged` is asked once no other writer can come between: when it
 * says no, nothing is done. Errors: EDIT when another edit is under way or the files have changed; IO.
 */
export function replaceInPlace(directory: string, files: Replacements, isUnchanged: () => boolean): void {
  recoverInPlace(directory);
  const owner = ownerToken();
  const stage = path.join(directory, STAGE + owner);
  try {
    const commit = writeStage(directory, stage, owner, files);
    takeLock(directory, stage);
    finishLocked(directory, commit, isUnchanged);
  } catch (error) {
    fs.rmSync(stage, { recursive: true, force: true });
    throw error instanceof CrimgError ? error : ioError("edit it in place", directory, error);
  }
}

/**
 * Finishes or undoes what an interrupted `replaceInPlace` left in `directory`; does nothing otherwise. To be called
 * before the files are read. Errors: IO when an edit was committed and its files cannot be put in place.
 */
export function recoverInPlace(directory: string): void {
  for (const name of leftovers(directory)) {
    const left = path.join(directory, name);
    const commit = name === LOCK ? readCommit(left) : undefined;
    if (commit !== undefined) finish(directory, left, commit);
    else if (!isOwnerAlive(ownerOf(left, name))) discard(directory, left);
  }
}

function writeStage(directory: string, stage: string, owner: string, files: Replacements): Commit {
  fs.mkdirSync(stage, { mode: 0o700 });
  fs.writeFileSync(path.join(stage, OWNER), owner);
  const replace: Commit["replace"][number][] = [];
  const remove: string[] = [];
  for (const [name, content] of files) {
    if (content === null) {
      remove.push(name);
      continue;
    }
    const staged = `${owner}-${replace.length}`;
    const like = modelFor(directory, name, files.keys());
    writeSource(path.join(stage, staged), content, { like, sync: true });
    replace.push({ staged, name });
  }
  const commit = { replace, remove };
  const fd = fs.openSync(path.join(stage, `${COMMIT}.new`), "wx");
  fs.writeSync(fd, JSON.stringify(commit));
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  syncDirectory(stage);
  return commit;
}

/** A rename onto a directory with files in it fails, so only one writer gets the name. */
function takeLock(directory: string, stage: string): void {
  try {
    fs.renameSync(stage, path.join(directory, LOCK));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    throw new CrimgError("EDIT", "another crimg edit of this set is under way; try again when it is done", {
      file: directory,
    });
  }
}

function finishLocked(directory: string, commit: Commit, isUnchanged: () => boolean): void {
  const lock = path.join(directory, LOCK);
  try {
    if (!isUnchanged())
      throw new CrimgError("EDIT", "the set was changed by another program meanwhile; nothing was done", {
        file: directory,
      });
    fs.renameSync(path.join(lock, `${COMMIT}.new`), path.join(lock, COMMIT));
  } catch (error) {
    discard(directory, lock);
    throw error;
  }
  syncDirectory(lock);
  finish(directory, lock, commit);
}

/** The steps after the commit; each may have been done already, by the writer or by another reader. */
function finish(directory: string, lock: string, commit: Commit): void {
  try {
    syncDirectory(directory);
    for (const { staged, name } of commit.replace)
      unlessGone(() => fs.renameSync(path.join(lock, staged), path.join(directory, name)));
    for (const name of commit.remove) unlessGone(() => fs.unlinkSync(path.join(directory, name)));
    syncDirectory(directory);
    for (const name of [OWNER, COMMIT]) unlessGone(() => fs.unlinkSync(path.join(lock, name)));
    unlessGone(() => fs.rmdirSync(lock));
  } catch (error) {
    throw ioError("finish the interrupted edit of it", directory, error);
  }
}

/** Takes an uncommitted directory out of the way and removes it; should it be committed after all, finishes it. */
function discard(directory: string, left: string): void {
  const aside = path.join(directory, `${STAGE}${ownerToken()}-${process.hrtime.bigint()}`);
  try {
    fs.renameSync(left, aside);
  } catch {
    return; // gone already, or no write access: the next crimg command that has it does this
  }
  const commit = readCommit(aside);
  if (commit !== undefined) finish(directory, aside, commit);
  fs.rmSync(aside, { recursive: true, force: true });
}

function leftovers(directory: string): string[] {
  try {
    const found = fs.readdirSync(directory).filter((name) => name === LOCK || name.startsWith(STAGE));
    return found.filter((name) => isOfThisOwner(directory, name));
  } catch {
    return []; // no directory, or not readable: the caller will meet that and say so
  }
}

/** In a directory that all may write into, such as /tmp, others could leave instructions for whoever comes next. */
function isOfThisOwner(directory: string, name: string): boolean {
  const { uid } = fs.lstatSync(path.join(directory, name));
  return uid === process.geteuid?.() || uid === fs.statSync(directory).uid;
}

function ownerOf(left: string, name: string): string {
  if (name.startsWith(STAGE)) return name.slice(STAGE.length);
  try {
    return fs.readFileSync(path.join(left, OWNER), "latin1");
  } catch {
    return "";
  }
}

function readCommit(lock: string): Commit | undefined {
  let text: string;
  try {
    text = fs.readFileSync(path.join(lock, COMMIT), "utf8");
  } catch {
    return undefined;
  }
  const commit = parseCommit(text);
  if (commit === undefined)
    throw new CrimgError("INVALID", "the record of an interrupted edit is damaged; remove the directory", {
      file: lock,
    });
  return commit;
}

function parseCommit(text: string): Commit | undefined {
  try {
    const { replace, remove } = JSON.parse(text) as Commit;
    const names = [...replace.flatMap((file) => [file.staged, file.name]), ...remove];
    return names.every((name) => name !== ".." && name === path.basename(name))
      ? { replace, remove }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Another crimg command may finish the same commit at the same time. */
function unlessGone(step: () => void): void {
  try {
    step();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTEMPTY") throw error;
  }
}
