import path from "node:path";
import { EditError } from "../../../io/errors.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import { shortenedLog } from "../log.js";
import type { LogEntry } from "../log-entry.js";
import { digestsBack, lastEntries, previousFiles, type UndoTrust } from "../undo.js";
import { type StreamTarget, unchanged, writeStream } from "./apply.js";
import { fileOf, StreamFiles } from "./files.js";

export interface UndoneStream {
  readonly file: string;
  /** The entries that were taken back, the newest first. */
  readonly entries: readonly LogEntry[];
  /**
   * Files that these edits wrote beside the stream, which holds their bytes again. They stay where they are: a log that
   * came with a stream is not to remove files of this host.
   */
  readonly left: readonly string[];
}

/**
 * Takes the last `steps` edits of a stream back: it gets the very bytes it had, which their SHA-256 proves before
 * anything is written, and the log beside it loses the entries, or goes with the last one.
 * Errors: USAGE when there are not so many; EDIT when something else has changed the stream since, or the log.
 */
export function undoStream(
  document: LinuxCrDocument,
  steps: number,
  target: StreamTarget,
  trust: UndoTrust = {},
): UndoneStream {
  fileOf(document);
  const isUnchanged = unchanged(document);
  const files = StreamFiles.of(document);
  const all = files.log();
  const entries = lastEntries(all, steps, document.name, trust);
  if (entries.some((entry) => entry.files.length !== 1))
    throw new EditError("an edit of a stream changes one file, and the log names another number of them", {
      file: all.source?.name,
    });
  const content = previousFiles(files, entries).get(path.basename(document.name));
  const log = shortenedLog(all, steps);
  const file = writeStream(document, content ?? document.image.source, log, target, {
    isUnchanged,
    digests: digestsBack(entries),
  });
  return { file, entries, left: [...new Set(entries.flatMap(({ made }) => made ?? []))] };
}
