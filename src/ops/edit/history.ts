import type { Document } from "../../model/document.js";
import { filesOf } from "./apply.js";
import type { LogChain } from "./log-chain.js";
import type { LogEntry } from "./log-entry.js";
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
