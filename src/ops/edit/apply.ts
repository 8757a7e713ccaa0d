import { chunksOf } from "../../io/digest.js";
import { UnsupportedError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import { SplicedSource, splicedFiles } from "../../io/splice.js";
import type { Document } from "../../model/document.js";
import { PackagedFiles } from "./criu/packaged-files.js";
import { SetFiles } from "./criu/set-files.js";
import type { EditTarget, ImageFiles, WrittenImage } from "./image-files.js";
import { StreamFiles } from "./linux-cr/stream-files.js";
import { appendedLog, EDIT_LOG, logEntry } from "./log.js";
import { type LogEntry, withoutValues } from "./log-entry.js";
import { writeNewFiles } from "./new-file.js";
import type { Plan } from "./plan.js";

export interface Applied extends WrittenImage {
  /** What the log now says about this edit; undefined when nothing had to be changed. */
  readonly entry: LogEntry | undefined;
  /** Digest of that entry, the head of the chain; to be kept where nobody else writes. */
  readonly head: string | undefined;
}

export interface ApplyOptions {
  /** Version of crimg for the log. */
  readonly version: string;
  readonly now?: Date | undefined;
  /** False, or an edit with a secret: keep no value in the log, neither old nor new; the edit can then not be undone. */
  readonly undo?: boolean | undefined;
}

/** The files of an image with its edit log. */
export function filesOf(document: Document): ImageFiles {
  if (document.family === "linux-cr") return new StreamFiles(document);
  const { packaged } = document;
  return packaged === undefined || packaged.isDirectory
    ? new SetFiles(document)
    : new PackagedFiles(document, packaged);
}

/**
 * Writes what a plan says: into a new directory or file that appears whole, or in place, all files or none. The log, inside
 * a set and beside a stream, gets an entry from which the edit can be undone.
 * Errors: USAGE for what exists, EDIT when the image was changed meanwhile, UNSUPPORTED in place of a pipe, IO.
 */
export function applyPlan(
  document: Document,
  plan: Plan,
  target: EditTarget,
  options: ApplyOptions,
): Applied {
  const image = filesOf(document);
  const changed = new Map(
    [...splicedFiles(image.files, plan.splices)].map(([name, content]) => [
      image.nameIn(target, name),
      content,
    ]),
  );
  const whole =
    changed.size === 0 ? undefined : logEntry(plan, changed, options.version, options.now ?? new Date());
  const keepsValues = options.undo !== false && plan.undoable;
  const entry = whole !== undefined && !keepsValues ? withoutValues(whole) : whole;
  const appended = entry === undefined ? undefined : appendedLog(image.files, entry);
  const files = new Map<string, ByteSource | null>(changed);
  if (appended !== undefined) files.set(EDIT_LOG, appended.log);
  const removeNewFiles = writeNewFiles(plan.newFiles);
  try {
    const digests = new Map(entry?.files.map((file) => [file.name, file]));
    return { ...image.write(files, target, digests), entry, head: appended?.head };
  } catch (error) {
    removeNewFiles();
    throw error;
  }
}

/**
 * The bytes of a stream or an archive with a plan's changes, for a pipe, without a log; the files that a stream makes are
 * written first. Errors: IO, EDIT; UNSUPPORTED for a set in a directory.
 */
export function* editedBytes(document: Document, plan: Plan): Generator<Buffer> {
  writeNewFiles(plan.newFiles);
  if (document.family === "linux-cr") {
    yield* chunksOf(new SplicedSource(document.image.source, [...plan.splices.values()].flat()));
    return;
  }
  const files = filesOf(document);
  if (!(files instanceof PackagedFiles))
    throw new UnsupportedError("a CRIU set in a directory is not one file", { file: document.name });
  yield* files.bytes(splicedFiles(files.files, plan.splices));
}
