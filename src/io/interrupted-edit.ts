import fs from "node:fs";
import path from "node:path";
import { editState, isAbout, readJournal, readOwner } from "./edit-journal.js";
import { EditError } from "./errors.js";
import { ownerState, ownerText } from "./owner.js";
import { PinnedDirectory } from "./pinned-directory.js";
import type { EditPlace } from "./recover-in-place.js";
import { distrustEntry } from "./trust.js";

/** How long a reader waits for an edit that is renaming its files, which takes milliseconds. */
const WAIT_MS = 2000;
const POLL_MS = 20;

/**
 * Checks whether the files of an image are a mix of old and new ones, because an edit in place was interrupted during its
 * renames; changes nothing. Returns a sentence about a journal that is not trusted; undefined if the files are
 * consistent. Errors: EDIT for mixed files, with how to fix them.
 */
export function assertNotInterrupted(place: EditPlace): string | undefined {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const found = look(place);
    if (typeof found !== "object") return found;
    const state = ownerState(found.owner, place.directory);
    if (state !== "alive" || Date.now() >= end)
      throw new EditError(mixed(found.owner, state), { file: place.directory });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  }
}

function mixed(owner: string, state: "alive" | "dead" | "unknown"): string {
  if (state === "alive") return `${ownerText(owner)} is editing this image; try again later`;
  const who = state === "dead" ? "an edit of this image" : `an edit of this image by ${ownerText(owner)}`;
  return `${who} was interrupted, and the image has a mix of old and new files; run crimg recover to finish it`;
}

/** The owner of an edit in the middle of its renames; a sentence about an untrusted journal; undefined if consistent. */
function look(place: EditPlace): { readonly owner: string } | string | undefined {
  const file = path.join(place.directory, place.lock);
  const stat = lstat(file);
  if (stat === undefined) return undefined;
  const why = distrustEntry(stat);
  if (why !== undefined) return notBelieved(file, why);
  let directory: PinnedDirectory | undefined;
  let lock: PinnedDirectory | undefined;
  try {
    directory = PinnedDirectory.open(place.directory);
    lock = directory.directory(place.lock);
    const state = editState(lock);
    if (state === undefined) return undefined;
    const owner = readOwner(lock);
    const journal = readJournal(lock, state);
    if (journal !== undefined && isAbout(journal, directory, owner)) return { owner };
    // An edit that is finishing removes its journal.
    if (editState(lock) !== state) return undefined;
    return notBelieved(
      file,
      journal === undefined ? "its journal is damaged" : "its journal is for another directory",
    );
  } catch (error) {
    return lstat(file) === undefined ? undefined : notBelieved(file, (error as Error).message);
  } finally {
    lock?.close();
    directory?.close();
  }
}

function notBelieved(file: string, why: string): string {
  return `ignored ${file}, which is not a trusted edit journal (${why}); if an edit was interrupted, the image has a mix of old and new files`;
}

function lstat(file: string): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
