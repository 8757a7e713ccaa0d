import type { Document } from "../../model/document.js";
import { type LogEntry, readLog } from "./log.js";
import { fileOf, StreamFiles } from "./stream/files.js";
import { checkLog, type FileState } from "./undo.js";

/** What crimg did to an image. */
export interface EditHistory {
  /** The oldest first. */
  readonly entries: readonly LogEntry[];
  /** Whether the files are still what the last edit of each made them. */
  readonly files: readonly FileState[];
}

/** Reads the log of a set or a stream and compares it with the files. Errors: FormatError; UNSUPPORTED for a pipe. */
export function editHistory(document: Document): EditHistory {
  if (document.family === "criu") {
    const { fileSet } = document.set;
    const entries = readLog(fileSet);
    return { entries, files: checkLog(fileSet, entries) };
  }
  fileOf(document);
  const files = StreamFiles.of(document);
  const entries = files.entries();
  return { entries, files: checkLog(files, entries) };
}
