import fs from "node:fs";
import path from "node:path";
import { chunksOf, sha256OfFile } from "../../../io/digest.js";
import { EditError, UsageError } from "../../../io/errors.js";
import { type ReplaceOptions, replaceInPlace } from "../../../io/in-place.js";
import { createFile } from "../../../io/new-file.js";
import { type ByteSource, FileSource } from "../../../io/source.js";
import { SplicedSource } from "../../../io/splice.js";
import { writeSource } from "../../../io/write-file.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import { appendedLog, EDIT_LOG, logDigests, logEntry } from "../log.js";
import type { LogEntry } from "../log-entry.js";
import { writeNewFiles } from "../new-file.js";
import { streamPlace } from "../place.js";
import type { Plan } from "../plan.js";
import { fileOf, logOf, realPath, StreamFiles } from "./files.js";

/** Where an edited stream goes. */
export type StreamTarget = { readonly to: "file"; readonly file: string } | { readonly to: "in place" };

export interface AppliedStream {
  /** The edited stream. */
  readonly file: string;
  /** What the log now says about this edit; undefined when nothing had to be changed. */
  readonly entry: LogEntry | undefined;
  /** Digest of that entry, the head of the chain; to be kept where nobody else writes. */
  readonly head: string | undefined;
}

/** The stream with a plan's changes, to be read from the first byte to the last. */
function editedStream(document: LinuxCrDocument, plan: Plan): SplicedSource {
  return new SplicedSource(document.image.source, [...plan.splices.values()].flat());
}

/** The bytes of the stream with a plan's changes, for a pipe; the files that it makes are written first. Errors: IO, EDIT. */
export function* editedBytes(document: LinuxCrDocument, plan: Plan): Generator<Buffer> {
  writeNewFiles(plan.newFiles);
  yield* chunksOf(editedStream(document, plan));
}

/**
 * Writes what a plan says: into a new file that appears whole, or in place of the old one at once. The log beside it gets
 * an entry from which the edit can be undone.
 * Errors: USAGE for an existing file, EDIT when the stream was changed meanwhile, UNSUPPORTED in place of a pipe, IO.
 */
export function applyToStream(
  document: LinuxCrDocument,
  plan: Plan,
  target: StreamTarget,
  options: { readonly version: string; readonly now?: Date | undefined },
): AppliedStream {
  const isUnchanged = unchanged(document);
  const content = editedStream(document, plan);
  const files = StreamFiles.of(document);
  if (target.to === "in place") fileOf(document);
  const isSame = content.splices.length === 0;
  const name = path.basename(target.to === "file" ? target.file : document.name);
  const entry = isSame
    ? undefined
    : logEntry(plan, new Map([[name, content]]), options.version, options.now ?? new Date());
  const appended = entry === undefined ? undefined : appendedLog(files, entry);
  const log = appended?.log ?? files.open(EDIT_LOG) ?? null;
  const removeNewFiles = writeNewFiles(plan.newFiles);
  try {
    const digests = new Map(entry?.files.map((file) => [file.name, file]));
    const file = writeStream(document, content, log, target, { isUnchanged, digests });
    return { file, entry, head: appended?.head };
  } catch (error) {
    removeNewFiles();
    throw error;
  }
}

/**
 * The stream with other bytes and another log, in a new file or in place; null is no log. The options
 * say whether the stream is what it was. Gives where it is. Errors: as applyToStream.
 */
export function writeStream(
  document: LinuxCrDocument,
  content: ByteSource,
  log: ByteSource | null,
  target: StreamTarget,
  options: ReplaceOptions,
): string {
  if (target.to === "file") {
    const { path: from } = fileSourceOf(document) ?? {};
    writeNew(document, content, log, target.file, () => options.isUnchanged(() => from ?? ""));
    return target.file;
  }
  const file = fileOf(document);
  const logName = path.basename(logOf(file));
  const files = new Map<string, ByteSource | null>([
    [path.basename(file), content],
    [logName, log],
  ]);
  const digests = new Map(options.digests).set(logName, logDigests(StreamFiles.of(document), log));
  const isUnchanged: ReplaceOptions["isUnchanged"] = (pathOf) =>
    options.isUnchanged(pathOf) && (sha256OfFile(pathOf(logName)) ?? null) === digests.get(logName)?.before;
  if (
    content !== document.image.source &&
    (!(content instanceof SplicedSource) || content.splices.length > 0)
  )
    replaceInPlace(streamPlace(file), files, { digests, isUnchanged });
  return document.name;
}

/** The log comes first, so that a stream never stands without its own. */
function writeNew(
  document: LinuxCrDocument,
  content: ByteSource,
  log: ByteSource | null,
  file: string,
  isUnchanged: () => boolean,
): void {
  if (file === "") throw new UsageError("the new file has no name");
  assertFree(file);
  const from = fileSourceOf(document)?.path;
  createFile(file, (temporary, beside) => {
    writeSource(temporary, content, { from, sync: true });
    if (!isUnchanged())
      throw new EditError("the stream was changed by another program meanwhile", { file: document.name });
    assertFree(file);
    const logName = path.basename(logOf(file));
    if (log === null) fs.rmSync(beside.at(logName), { force: true });
    else createFile(beside.at(logName), (made) => writeSource(made, log, { from, sync: true }));
  });
}

function assertFree(file: string): void {
  if (fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined)
    throw new UsageError("the file exists; name a new one, or edit it --in-place", { file });
}

/**
 * Whether a file is the one that was opened, without reading it again: inode, size and both times. The stream is asked for
 * by its name.
 */
export function unchanged(document: LinuxCrDocument): ReplaceOptions["isUnchanged"] {
  const source = fileSourceOf(document);
  if (source === undefined) return () => true;
  const identity = (file: string): string => {
    const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? "" : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
  };
  const before = identity(source.path);
  return (pathOf) => identity(pathOf(path.basename(realPath(source)))) === before;
}

function fileSourceOf({ image }: LinuxCrDocument): FileSource | undefined {
  return image.source instanceof FileSource ? image.source : undefined;
}
