import fs from "node:fs";
import os from "node:os";
import { DirectoryFileSet, OverlayFileSet } from "./io/file-set.js";
import { trustedDirectoryOf } from "./io/new-directory.js";
import { type ByteSource, FileSource } from "./io/source.js";
import { SplicedSource, splicedFiles } from "./io/splice.js";
import { SpoolSource } from "./io/spool.js";
import type { CriuDocument, Document, LinuxCrDocument } from "./model/document.js";
import { type Loss, Losses } from "./model/loss.js";
import { openFileSet, openStream } from "./open.js";
import { toLinuxCr } from "./ops/convert/to-linux-cr/to-linux-cr.js";
import { temporarySet } from "./ops/edit/criu/set-files.js";
import { writeNewFiles } from "./ops/edit/new-file.js";
import type { Plan } from "./ops/edit/plan.js";
import { streamAsSet } from "./stream-as-set.js";

/** What a backend restores: an image with its edits, converted if needed, read as if it had been written. */
export interface Restorable {
  /** The image with its edits, before a conversion. */
  readonly edited: Document;
  /** Of the family that the backend restores. */
  readonly document: Document;
  /** What the other format cannot express; undefined for an image that is not converted. */
  readonly losses: readonly Loss[] | undefined;
  /** Writes it where the backend can read it. Errors: IO. */
  write(): Written;
}

export interface Written {
  readonly document: Document;
  /** Removes what the restored tasks, if any, do not need. */
  remove(isRestored: boolean): void;
}

/** Determines what is restored; writes nothing. Errors: FormatError, UnsupportedError. */
export function restorable(
  document: Document,
  plan: Plan | undefined,
  family: Document["family"],
): Restorable {
  if (document.family === "criu")
    return family === "criu"
      ? setAsItIs(document, plan)
      : streamOfSet(editedSet(document, plan), plan?.restore.leaseBreakSeconds);
  const edited = editedStream(document, plan);
  const { document: restored, losses, write } = family === "criu" ? setOf(edited) : streamAsItIs(edited);
  return { edited, document: restored, losses, write: () => withNewFiles(plan, write) };
}

function setAsItIs(document: CriuDocument, plan: Plan | undefined): Restorable {
  const edited = editedSet(document, plan);
  return {
    edited,
    document: edited,
    losses: undefined,
    write() {
      if (plan === undefined) return { document, remove: () => {} };
      const { directory, remove } = temporarySet(document, plan);
      return { document: openFileSet(new DirectoryFileSet(directory, document.name)), remove };
    },
  };
}

function streamOfSet(edited: CriuDocument, leaseSeconds: number | undefined): Restorable {
  const losses = new Losses();
  const stream = toLinuxCr(edited.set, losses, leaseSeconds);
  return {
    edited,
    document: openStream(stream),
    losses: losses.list(),
    write: () => spooled(stream, edited.name),
  };
}

function setOf(stream: LinuxCrDocument): Omit<Restorable, "edited"> {
  const { name } = stream;
  const { document, losses, write } = streamAsSet(stream, imagesOf(name));
  return {
    document,
    losses,
    write() {
      const directory = write();
      return {
        document: openFileSet(new DirectoryFileSet(directory, name)),
        remove: () => fs.rmSync(directory, { recursive: true, force: true }),
      };
    },
  };
}

function streamAsItIs(document: LinuxCrDocument): Omit<Restorable, "edited"> {
  const { source } = document.image;
  const isFile = source instanceof SpoolSource || source instanceof FileSource;
  return {
    document,
    losses: undefined,
    write: () => (isFile ? { document, remove: () => {} } : spooled(source, document.name)),
  };
}

/** In an unlinked file, beside the original where there is room for its memory too. */
function spooled(stream: ByteSource, name: string): Written {
  const document = openStream(new SpoolSource(stream, name, directoryFor(name)));
  return { document, remove: () => document.close() };
}

function directoryFor(image: string): string {
  const beside = trustedDirectoryOf(image);
  if (beside === undefined) return os.tmpdir();
  try {
    fs.accessSync(beside, fs.constants.W_OK);
    return beside;
  } catch {
    return os.tmpdir(); // a read-only directory
  }
}

/** Files that the edits need beside the image; those of a failed restore are removed. */
function withNewFiles(plan: Plan | undefined, write: () => Written): Written {
  const removeNewFiles = writeNewFiles(plan?.newFiles ?? []);
  try {
    const { document, remove } = write();
    return {
      document,
      remove(isRestored) {
        remove(isRestored);
        if (!isRestored) removeNewFiles();
      },
    };
  } catch (error) {
    removeNewFiles();
    throw error;
  }
}

function editedSet(document: CriuDocument, plan: Plan | undefined): CriuDocument {
  if (plan === undefined) return document;
  const { fileSet } = document.set;
  return openFileSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, plan.splices)));
}

function editedStream(document: LinuxCrDocument, plan: Plan | undefined): LinuxCrDocument {
  if (plan === undefined) return document;
  return openStream(new SplicedSource(document.image.source, [...plan.splices.values()].flat()));
}

/** The directory for the set of a stream, in printed commands. */
function imagesOf(stream: string): string {
  return `${stream.replace(/\.ckpt$/, "")}.images`;
}
