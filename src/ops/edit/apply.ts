import fs from "node:fs";
import path from "node:path";
import { sha256OfFile } from "../../io/digest.js";
import { EditError, UnsupportedError, UsageError } from "../../io/errors.js";
import { DirectoryFileSet } from "../../io/file-set.js";
import { type FileDigests, replaceInPlace } from "../../io/in-place.js";
import { createDirectory, temporaryBeside } from "../../io/new-directory.js";
import type { ByteSource } from "../../io/source.js";
import type { CriuDocument } from "../../model/document.js";
import { splicedFiles } from "./check.js";
import { type CopiedSet, copySet } from "./copy-set.js";
import { appendedLog, EDIT_LOG, logDigests, logEntry } from "./log.js";
import type { LogEntry } from "./log-entry.js";
import { setPlace } from "./place.js";
import type { Plan } from "./plan.js";

/** Where an edited set goes. `copy`: share nothing with the original. */
export type EditTarget =
  | { readonly to: "directory"; readonly directory: string; readonly copy?: boolean | undefined }
  | { readonly to: "in place" };

export interface Applied {
  /** The edited set. */
  readonly directory: string;
  /** What the log now says about this edit; undefined when nothing had to be changed. */
  readonly entry: LogEntry | undefined;
  /** Digest of that entry, the head of the chain; to be kept where nobody else writes. */
  readonly head: string | undefined;
  /** How its files came about; undefined for an edit in place. */
  readonly copied: CopiedSet | undefined;
}

export interface ApplyOptions {
  /** Version of crimg for the log. */
  readonly version: string;
  readonly now?: Date | undefined;
}

/**
 * Writes what a plan says: into a new directory that appears whole, or in place, all files or none. The log inside the
 * set gets an entry from which the edit can be undone.
 * Errors: USAGE for an existing directory, EDIT when the set was changed meanwhile, IO.
 */
export function applyPlan(
  document: CriuDocument,
  plan: Plan,
  target: EditTarget,
  options: ApplyOptions,
): Applied {
  const changed = splicedFiles(document.set.fileSet, plan.splices);
  if (changed.size === 0)
    return { ...replaceFiles(document, new Map(), target, new Map()), entry: undefined, head: undefined };
  const entry = logEntry(plan, changed, options.version, options.now ?? new Date());
  const files = new Map<string, ByteSource | null>(changed);
  const { log, head } = appendedLog(document.set.fileSet, entry);
  files.set(EDIT_LOG, log);
  const digests = new Map(entry.files.map((file) => [file.name, file]));
  return { ...replaceFiles(document, files, target, digests), entry, head };
}

/**
 * The set with other files: in a new directory, or in place. Null takes a file away. `digests` are what files
 * must be for this to be done, and become. Errors: as applyPlan.
 */
export function replaceFiles(
  document: CriuDocument,
  files: ReadonlyMap<string, ByteSource | null>,
  target: EditTarget,
  digests: ReadonlyMap<string, FileDigests>,
): Pick<Applied, "directory" | "copied"> {
  const from = directoryOf(document);
  const log = files.get(EDIT_LOG);
  const all = new Map(digests);
  if (log !== undefined) all.set(EDIT_LOG, logDigests(document.set.fileSet, log));
  const isUnchanged = (pathOf: (name: string) => string): boolean =>
    [...all].every(([name, { before }]) => (sha256OfFile(pathOf(name)) ?? null) === before);
  if (target.to === "in place") {
    if (files.size > 0) replaceInPlace(setPlace(from), files, { digests: all, isUnchanged });
    return { directory: from, copied: undefined };
  }
  const { directory, copy = false } = target;
  if (directory === "") throw new UsageError("the new directory has no name");
  const copied = createDirectory(directory, from, (temporary) => {
    const made = copySet(from, temporary, directory, files, { copy });
    if (!isUnchanged((name) => path.join(from, name)))
      throw new EditError("the set was changed by another program meanwhile", { file: from });
    return made;
  });
  return { directory, copied };
}

/** An image set in a directory that is removed again. */
export interface TemporarySet {
  readonly directory: string;
  remove(): void;
}

/**
 * The set with a plan's changes in a temporary directory, which shares the pages with the original: beside it, so that
 * blocks can be shared, or where temporary files go when that is not allowed. For a restore that leaves the
 * original untouched. Errors: IO.
 */
export function temporarySet(document: CriuDocument, plan: Plan): TemporarySet {
  const from = directoryOf(document);
  const directory = temporaryBeside(from);
  const remove = (): void => fs.rmSync(directory, { recursive: true, force: true });
  try {
    copySet(from, directory, directory, splicedFiles(document.set.fileSet, plan.splices), { copy: false });
  } catch (error) {
    remove();
    throw error;
  }
  return { directory, remove };
}

/** Errors: UNSUPPORTED for a set that is not a directory. */
function directoryOf(document: CriuDocument): string {
  const { fileSet } = document.set;
  if (fileSet instanceof DirectoryFileSet) return fileSet.directory;
  throw new UnsupportedError("only image sets in a directory can be written", { file: document.name });
}
