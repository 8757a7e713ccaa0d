import fs from "node:fs";
import path from "node:path";
import { chunksOf } from "../../../io/digest.js";
import { CrimgError, EditError, ioError, UsageError } from "../../../io/errors.js";
import { replaceInPlace } from "../../../io/in-place.js";
import { isOwnerAlive, ownerToken } from "../../../io/owner.js";
import { type ByteSource, FileSource } from "../../../io/source.js";
import { SplicedSource } from "../../../io/splice.js";
import { syncDirectory, writeSource } from "../../../io/write-file.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import { appendedLog, EDIT_LOG, type LogEntry, logEntry } from "../log.js";
import { writeNewFiles } from "../new-file.js";
import type { Plan } from "../plan.js";
import { fileOf, logOf, StreamFiles } from "./files.js";

/** Where an edited stream goes. */
export type StreamTarget = { readonly to: "file"; readonly file: string } | { readonly to: "in place" };

export interface AppliedStream {
  /** The edited stream. */
  readonly file: string;
  /** What the log now says about this edit; undefined when nothing had to be changed. */
  readonly entry: LogEntry | undefined;
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
  const log = entry === undefined ? files.open(EDIT_LOG) : appendedLog(files, entry);
  const removeNewFiles = writeNewFiles(plan.newFiles);
  try {
    return { file: writeStream(document, content, log ?? null, target, isUnchanged), entry };
  } catch (error) {
    removeNewFiles();
    throw error;
  }
}

/**
 * The stream with other bytes and another log, in a new file or in place; null is no log. `isUnchanged` says whether the
 * stream is what it was. Gives where it is. Errors: as applyToStream.
 */
export function writeStream(
  document: LinuxCrDocument,
  content: ByteSource,
  log: ByteSource | null,
  target: StreamTarget,
  isUnchanged: () => boolean,
): string {
  if (target.to === "file") {
    writeNew(document, content, log, target.file, isUnchanged);
    return target.file;
  }
  const file = fileOf(document);
  const [directory, name] = [path.dirname(file), path.basename(file)];
  const files = new Map<string, ByteSource | null>([
    [name, content],
    [path.basename(logOf(file)), log],
  ]);
  if (
    content !== document.image.source &&
    (!(content instanceof SplicedSource) || content.splices.length > 0)
  )
    replaceInPlace(directory, files, isUnchanged);
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
  const { source } = document.image;
  const from = source instanceof FileSource ? source.path : undefined;
  const [directory, name] = [path.dirname(path.resolve(file)), path.basename(file)];
  const prefix = `.${name}.crimg-`;
  const temporary = path.join(directory, prefix + ownerToken());
  const temporaryLog = `${temporary}-log`;
  try {
    removeAbandoned(directory, prefix);
    writeSource(temporary, content, { from, sync: true });
    if (log !== null) writeSource(temporaryLog, log, { from, sync: true });
    if (!isUnchanged())
      throw new EditError("the stream was changed by another program meanwhile", { file: document.name });
    assertFree(file);
    if (log !== null) fs.renameSync(temporaryLog, logOf(file));
    else fs.rmSync(logOf(file), { force: true });
    fs.renameSync(temporary, file);
    syncDirectory(directory);
  } catch (error) {
    for (const left of [temporary, temporaryLog]) fs.rmSync(left, { force: true });
    throw error instanceof CrimgError ? error : ioError("write the new stream", file, error);
  }
}

function assertFree(file: string): void {
  if (fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined)
    throw new UsageError("the file exists; name a new one, or edit it --in-place", { file });
}

function removeAbandoned(directory: string, prefix: string): void {
  for (const name of fs.readdirSync(directory))
    if (name.startsWith(prefix) && !isOwnerAlive(name.slice(prefix.length)))
      fs.rmSync(path.join(directory, name), { recursive: true, force: true });
}

/** Whether the file is the one that was opened, without reading it again: inode, size and both times. */
export function unchanged({ image }: LinuxCrDocument): () => boolean {
  const { source } = image;
  if (!(source instanceof FileSource)) return () => true;
  const identity = (): string => {
    const stat = fs.statSync(source.path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? "" : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
  };
  const before = identity();
  return () => identity() === before;
}
