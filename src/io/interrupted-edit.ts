import fs from "node:fs";
import path from "node:path";
import { distrustEntry, editState, isAbout, readJournal, readOwner } from "./edit-journal.js";
import { EditError } from "./errors.js";
import { ownerState, ownerText } from "./owner.js";
import { PinnedDirectory } from "./pinned-directory.js";
import type { EditPlace } from "./recover-in-place.js";

/** How long a reader waits for an edit that is putting its files in place, which takes milliseconds. */
const WAIT_MS = 2000;
const POLL_MS = 20;

/**
 * Looks whether the files of an image are old and new ones mixed, because an edit in place was interrupted in the middle
 * of its renames; changes nothing. Gives a sentence about a record that is not to be believed; undefined when the
 * files are whole. Errors: EDIT for mixed files, which says how to mend them.
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
  if (state === "alive") return `${ownerText(owner)} is putting an edit in place; try again when it is done`;
  const who = state === "dead" ? "an edit of this image" : `an edit of this image by ${ownerText(owner)}`;
  return `${who} was interrupted, and old and new files are mixed; crimg recover finishes it`;
}

/** The owner of an edit in the middle of its renames; a sentence about what is none; undefined when all is whole. */
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
    // An edit that is ending removes its record.
    if (editState(lock) !== state) return undefined;
    return notBelieved(
      file,
      journal === undefined ? "its record is damaged" : "its record is about another directory",
    );
  } catch (error) {
    return lstat(file) === undefined ? undefined : notBelieved(file, (error as Error).message);
  } finally {
    lock?.close();
    directory?.close();
  }
}

function notBelieved(file: string, why: string): string {
  return `${file} is not taken for crimg's own record of an edit (${why}), and the files are shown as they are: should an edit have been interrupted, old and new ones are mixed`;
}

function lstat(file: string): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
