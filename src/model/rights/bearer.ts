import fs from "node:fs";
import path from "node:path";
import { DirectoryFileSet, type FileSet } from "../../io/file-set.js";
import { PipeSource } from "../../io/pipe-source.js";
import { type ByteSource, FileSource } from "../../io/source.js";
import { SpoolSource } from "../../io/spool.js";
import { userOf } from "../../io/users.js";
import { type Writer, Writers } from "../../io/writers.js";
import type { Document } from "../document.js";

const STDIN = 0;

/** Who is answerable for an image, and what they may have: a user, or nobody in particular. */
export interface Bearer {
  /** Undefined when several users could have written the image. */
  readonly uid: number | undefined;
  /** Groups of the user. */
  readonly gids: ReadonlySet<number>;
  /** `user 1000 (alice)`, `whoever may write /srv/images`. */
  readonly name: string;
}

/** A user as the owner of an image; undefined for root, who may have everything. */
export function bearerOfUid(uid: number): Bearer | undefined {
  if (uid === 0) return undefined;
  const { name, gids } = userOf(uid);
  return { uid, gids, name: `user ${uid}${name === undefined ? "" : ` (${name})`}` };
}

/**
 * The least trusted of those who could have written an image or put another in its place: by its files, their directory
 * and those above. The caller is believed, so for root's own images, and for a pipe, of which nobody can say who wrote
 * it, it is the caller. Undefined for root. Errors: IO.
 */
export function ownerOf(document: Document, caller: number = process.geteuid?.() ?? 0): Bearer | undefined {
  const writers = new Writers(caller);
  if (document.family === "criu") {
    const { packaged, set } = document;
    if (packaged !== undefined && !packaged.isDirectory) addArchive(writers, packaged.package.name);
    addSet(writers, set.fileSet);
  } else addSource(writers, document.image.source);
  const [first, ...others] = writers.all;
  if (first === undefined) return bearerOfUid(caller);
  const shared = writers.all.find(({ uid }) => uid === undefined);
  if (shared !== undefined || others.length > 0) return bearerOfMany(shared, writers.all);
  return bearerOfUid(first.uid as number);
}

function bearerOfMany(shared: Writer | undefined, all: readonly Writer[]): Bearer {
  const name =
    shared === undefined
      ? `one of the users ${all.map(({ uid }) => uid).join(", ")}`
      : `anybody who may write ${shared.by}`;
  return { uid: undefined, gids: new Set(), name };
}

function addSet(writers: Writers, files: FileSet): void {
  if (!(files instanceof DirectoryFileSet)) return;
  writers.addPath(files.directory);
  for (const name of files.names()) writers.addPath(path.join(files.directory, name));
  const parent = files.parent();
  if (parent !== undefined) addSet(writers, parent);
}

/** An archive on stdin is the caller's word, as any pipe. */
function addArchive(writers: Writers, name: string): void {
  if (fs.existsSync(name)) writers.addPath(name);
}

/** What stands at a name belongs to its owner, a fifo too; of stdin only a file tells whose it is. */
function addSource(writers: Writers, source: ByteSource): void {
  if (source instanceof FileSource) writers.addPath(source.path);
  const fd =
    source instanceof PipeSource ? source.fd : source instanceof SpoolSource ? source.pipe : undefined;
  if (fd === undefined) return;
  const stat = fs.fstatSync(fd);
  if (fd !== STDIN) writers.addPath(source.name);
  else if (stat.isFile()) writers.addOpen(stat, source.name);
}
