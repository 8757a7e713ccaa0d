import { sha256 } from "../../io/digest.js";
import { EditError, UsageError } from "../../io/errors.js";
import type { FileSet } from "../../io/file-set.js";
import type { FileDigests } from "../../io/in-place.js";
import type { ByteSource } from "../../io/source.js";
import { SplicedSource } from "../../io/splice.js";
import type { Document } from "../../model/document.js";
import { filesOf } from "./apply.js";
import type { EditTarget, WrittenImage } from "./image-files.js";
import { EDIT_LOG, type EditLog, shortenedLog } from "./log.js";
import { headOf } from "./log-chain.js";
import type { LogEntry } from "./log-entry.js";

/** How edits are taken back. */
export interface UndoPlan {
  /** The entries that were taken back, the newest first. */
  readonly entries: readonly LogEntry[];
  readonly files: readonly string[];
  /**
   * Files that these edits wrote beside a stream, which holds their bytes again. They stay where they are: a log that came
   * with a stream is not to remove files of this host.
   */
  readonly left: readonly string[];
  /** New contents by name, the log's among them; null for a log that goes. */
  readonly changed: ReadonlyMap<string, ByteSource | null>;
}

/** State of a file that the log knows. */
export interface FileState {
  readonly name: string;
  /** SHA-256 that the log expects, and that of the file as it is; undefined when it is gone. */
  readonly expected: string;
  readonly found: string | undefined;
}

/** Whether the files of the log are still what the last edit of each made them. */
export function checkLog(files: FileSet, entries: readonly LogEntry[]): FileState[] {
  const expected = new Map<string, string>();
  for (const entry of entries) for (const { name, after } of entry.files) expected.set(name, after);
  return [...expected].map(([name, hash]) => {
    const source = files.open(name);
    return { name, expected: hash, found: source === undefined ? undefined : sha256(source) };
  });
}

/** What the caller knows about the log, which nothing in the image proves. */
export interface UndoTrust {
  /** Digest of the last line that was kept elsewhere, in lower case: the log must end with that line. */
  readonly head?: string | undefined;
  /** Take back entries without a chain too, which crimg wrote before logs were chained. */
  readonly unchained?: boolean | undefined;
}

/**
 * Works out how to take the last `steps` edits back; nothing is written. The files get the very bytes they had, which
 * their SHA-256 proves, and the log loses the entries; that beside a stream goes with the last one.
 * Errors: USAGE when there are not so many; EDIT when something else has changed the files since, or the log.
 */
export function planUndo(document: Document, steps: number, trust: UndoTrust = {}): UndoPlan {
  const image = filesOf(document);
  const { log } = image;
  const entries = lastEntries(log, steps, document.name, trust);
  const kept = entries.find(({ undoable }) => undoable === false);
  if (kept !== undefined)
    throw new EditError(
      `the edit of ${kept.time} was made with --no-undo or --redact: its old values were not kept`,
      {
        file: document.name,
      },
    );
  image.assertUndoable(entries);
  const files = previousFiles(image.files, entries);
  const changed = new Map<string, ByteSource | null>(files).set(EDIT_LOG, shortenedLog(log, steps));
  const left = [...new Set(entries.flatMap(({ made }) => made ?? []))];
  return { entries, files: [...files.keys()], left, changed };
}

/** Writes what `planUndo` worked out. Errors: USAGE for what exists, EDIT when the image was changed meanwhile, IO. */
export function applyUndo(document: Document, plan: UndoPlan, target: EditTarget): WrittenImage {
  return filesOf(document).write(plan.changed, target, digestsBack(plan.entries));
}

/** `planUndo` and `applyUndo` in one. */
export function undoEdits(
  document: Document,
  steps: number,
  target: EditTarget,
  trust: UndoTrust = {},
): UndoPlan & WrittenImage {
  const plan = planUndo(document, steps, trust);
  return { ...plan, ...applyUndo(document, plan, target) };
}

/** What the files are now, and what they become when the entries, newest first, are taken back. */
function digestsBack(entries: readonly LogEntry[]): Map<string, FileDigests> {
  const digests = new Map<string, FileDigests>();
  for (const { files } of entries)
    for (const { name, before, after } of files)
      digests.set(name, { before: digests.get(name)?.before ?? after, after: before });
  return digests;
}

/**
 * The newest entries of a log, the newest first, when the log may be believed so far.
 * Errors: USAGE when there are not so many; EDIT when the chain is broken, does not reach them, or ends elsewhere than
 * the caller knows.
 */
function lastEntries(
  { entries, chain, source }: EditLog,
  steps: number,
  image: string,
  trust: UndoTrust,
): LogEntry[] {
  if (steps > entries.length)
    throw new UsageError(
      entries.length === 0
        ? "nothing to undo: crimg has not edited this image"
        : `the log has ${entries.length} edits, not ${steps}`,
      { file: image },
    );
  const first = entries.length - steps;
  const refuse = (text: string): never => {
    throw new EditError(text, { file: source?.name });
  };
  if (chain.broken !== undefined)
    refuse(
      `edit ${chain.broken.entry} of the log does not follow the one before it: the log was tampered with, and no edit is taken back by it`,
    );
  if (trust.head !== undefined && headOf(chain) !== trust.head)
    refuse(
      `the log ends with ${headOf(chain)}, not with the head that was kept; no edit is taken back by it`,
    );
  if (first < chain.unchained && trust.unchained !== true)
    refuse(
      `edit ${first + 1} of the log is not chained: written by an earlier crimg, or the chain was removed; check it with crimg log --json, and undo it with --unchained`,
    );
  return entries.slice(first).reverse();
}

/** The files before the given entries, newest first; each is proved by its hash before and after each entry. */
function previousFiles(files: FileSet, entries: readonly LogEntry[]): Map<string, ByteSource> {
  const previous = new Map<string, ByteSource>();
  const before = new Map<string, string>();
  for (const entry of entries)
    for (const { name, after, before: original, undo } of entry.files) {
      const now = previous.get(name) ?? presentFile(files, name, after);
      if ((before.get(name) ?? after) !== after) refuse(files, name);
      const earlier = spliced(now, undo, files, name);
      if (sha256(earlier) !== original) refuse(files, name);
      previous.set(name, earlier);
      before.set(name, original);
    }
  return previous;
}

function presentFile(files: FileSet, name: string, expected: string): ByteSource {
  const source = files.open(name);
  if (source === undefined || sha256(source) !== expected) return refuse(files, name);
  return source;
}

function spliced(
  source: ByteSource,
  undo: LogEntry["files"][number]["undo"],
  files: FileSet,
  name: string,
): ByteSource {
  try {
    return new SplicedSource(source, undo);
  } catch {
    return refuse(files, name);
  }
}

function refuse(files: FileSet, name: string): never {
  throw new EditError(`${name} has been changed by another program since the edit, which cannot be undone`, {
    file: files.name,
  });
}
