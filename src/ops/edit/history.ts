import { isCrimgError } from "../../io/errors.js";
import type { FileSet } from "../../io/file-set.js";
import type { Document } from "../../model/document.js";
import { filesOf } from "./apply.js";
import { EDIT_LOG } from "./log.js";
import type { LogChain } from "./log-chain.js";
import { type LogEntry, parseEntry } from "./log-entry.js";
import { linesOf } from "./log-lines.js";
import { checkLog, type FileState } from "./undo.js";

/** What crimg did to an image. */
export interface EditHistory {
  /** The oldest first. */
  readonly entries: readonly LogEntry[];
  /** What the digests of the log prove. */
  readonly chain: LogChain;
  /** Whether the files are still what the last edit of each made them. */
  readonly files: readonly FileState[];
}

/** Reads the log of a set or a stream and compares it with the files. Errors: FormatError; UNSUPPORTED for a pipe. */
export function editHistory(document: Document): EditHistory {
  const { files, log } = filesOf(document);
  const { entries, chain } = log;
  return { entries, chain, files: checkLog(files, entries) };
}

/** When the first edit was made that the log of a set tells of, ISO 8601; undefined without one that can be read. */
export function firstEdit(files: FileSet): string | undefined {
  try {
    const source = files.open(EDIT_LOG);
    if (source === undefined) return undefined;
    for (const { bytes } of linesOf(source)) return parseEntry(bytes, source.name, 1).time;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
  }
  return undefined;
}
