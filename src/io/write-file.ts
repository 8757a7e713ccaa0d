import fs from "node:fs";
import path from "node:path";
import { chunksOf } from "./digest.js";
import { CrimgError, ioError, UsageError } from "./errors.js";
import { createPrivate, privateMode } from "./private-file.js";
import { FileSharer } from "./share.js";
import { type ByteSource, FileSource } from "./source.js";
import { type Splice, SplicedSource } from "./splice.js";

export interface WriteOptions {
  /** File that it replaces, whose permission bits and, where allowed, owner it gets. */
  readonly like?: string | undefined;
  /** File that it is a copy of: it gets the owner, where allowed, and stays private. */
  readonly from?: string | undefined;
  /** Bytes are on the disk when the call returns. */
  readonly sync: boolean;
}

/** A file of at least this size that keeps its length is cloned and patched instead of written anew. */
const CLONE_FROM_BYTES = 1024 * 1024;

/** Whether `to` is there and is to be replaced. Errors: USAGE when it is there without `force`, or is no regular file. */
export function replaces(to: string, force: boolean): boolean {
  const old = fs.statSync(to, { throwIfNoEntry: false });
  if (old === undefined || (force && old.isFile())) return old !== undefined;
  throw new UsageError(
    old.isFile() ? "the file exists; name a new one or say --force" : "it exists and is no file",
    { file: to },
  );
}

/** Writes a new file; `to` must not exist. What fails is removed again. Errors: IO. */
export function writeSource(to: string, content: ByteSource, options: WriteOptions): void {
  let fd: number | undefined;
  try {
    const patch = asPatch(content);
    fd = patch === undefined ? create(to, content) : clone(to, patch);
    if (options.like !== undefined) copyOwnership(fd, options.like, 0o777);
    if (options.from !== undefined) copyOwnership(fd, options.from, privateMode());
    if (options.sync) fs.fsyncSync(fd);
  } catch (error) {
    fs.rmSync(to, { force: true });
    throw error instanceof CrimgError ? error : ioError("write it", to, error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** The file of a directory whose owner and mode a new version of `name` gets: its own, or that of one of its neighbours. */
export function modelFor(directory: string, name: string, neighbours: Iterable<string>): string | undefined {
  for (const each of [name, ...neighbours]) {
    const file = path.join(directory, each);
    if (fs.existsSync(file)) return file;
  }
  return undefined;
}

/** Where a symbolic link of `fromDirectory` must point from `toDirectory` to lead to the same place. */
export function rebasedLink(link: string, fromDirectory: string, toDirectory: string): string {
  if (path.isAbsolute(link)) return link;
  const target = path.resolve(fromDirectory, link);
  if (target === fromDirectory || target.startsWith(fromDirectory + path.sep)) return link;
  return path.relative(toDirectory, target);
}

/** A file and what is patched in it, the earlier patch first. */
interface FilePatch {
  readonly file: FileSource;
  readonly splices: readonly Splice[];
}

/** Undefined for content that is not a file with bytes of the same length in other places, or a small one. */
function asPatch(content: ByteSource): FilePatch | undefined {
  if (content instanceof FileSource)
    return content.size < CLONE_FROM_BYTES ? undefined : { file: content, splices: [] };
  if (!(content instanceof SplicedSource)) return undefined;
  if (!content.splices.every(({ size, bytes }) => size === bytes.length)) return undefined;
  const base = asPatch(content.base);
  return base && { file: base.file, splices: [...base.splices, ...content.splices] };
}

function clone(to: string, { file, splices }: FilePatch): number {
  // The system gives a clone the mode of its source first; meanwhile nobody else can reach it.
  const aside = fs.mkdtempSync(`${to}-`);
  try {
    const copy = path.join(aside, "copy");
    new FileSharer().share(file.path, copy, { hardLink: false, copy: false });
    fs.chmodSync(copy, privateMode());
    fs.renameSync(copy, to);
  } finally {
    fs.rmSync(aside, { recursive: true, force: true });
  }
  const fd = fs.openSync(to, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  for (const { offset, bytes } of splices) writeAll(fd, bytes, offset);
  return fd;
}

function create(to: string, content: ByteSource): number {
  const fd = createPrivate(to);
  let offset = 0;
  for (const chunk of chunksOf(content)) {
    writeAll(fd, chunk, offset);
    offset += chunk.length;
  }
  return fd;
}

function writeAll(fd: number, bytes: Buffer, offset: number): void {
  for (let done = 0; done < bytes.length; )
    done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** The owner is given where the caller may do so: an image holds a program's memory and stays with who could read it. */
function copyOwnership(fd: number, like: string, allowed: number): void {
  const { mode, uid, gid } = fs.statSync(like);
  const own = fs.fstatSync(fd);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fs.fchownSync(fd, uid, gid);
    } catch {
      // Only root may give files away.
    }
  }
  fs.fchmodSync(fd, mode & allowed);
}
