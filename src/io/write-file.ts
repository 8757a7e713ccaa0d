import fs from "node:fs";
import path from "node:path";
import { ConcatSource, type Piece, pieceSize } from "./concat.js";
import { chunksOf } from "./digest.js";
import { CrimgError, ioError, UsageError } from "./errors.js";
import { PinnedDirectory } from "./pinned-directory.js";
import { createPrivate, privateMode } from "./private-file.js";
import { FileSharer } from "./share.js";
import { type ByteSource, FileSource } from "./source.js";
import { SplicedSource } from "./splice.js";
import { tryRemove, tryRemoveDirectory } from "./try-remove.js";

export interface WriteOptions {
  /** File that it replaces, whose permission bits and, if allowed, owner it gets. */
  readonly like?: string | undefined;
  /** File that it is a copy of: it gets the owner, if allowed, and stays private. */
  readonly from?: string | undefined;
  /** fsync(2) before returning. */
  readonly sync: boolean;
}

/** A file of at least this size that keeps its length is reflinked and patched instead of rewritten. */
const CLONE_FROM_BYTES = 1024 * 1024;

/** Whether `to` exists and is to be replaced. Errors: USAGE if it exists without `force`, or is not a regular file. */
export function replaces(to: string, force: boolean): boolean {
  const old = fs.statSync(to, { throwIfNoEntry: false });
  if (old === undefined || (force && old.isFile())) return old !== undefined;
  throw new UsageError(
    old.isFile() ? "file exists; name a new one, or use --force" : "exists and is not a regular file",
    { file: to },
  );
}

/** Writes a new file; `to` must not exist. It is removed on failure. Errors: IO; those of the content. */
export function writeSource(to: string, content: ByteSource | Iterable<Buffer>, options: WriteOptions): void {
  let fd: number | undefined;
  try {
    const patch = Symbol.iterator in content ? undefined : asPatch(content);
    fd = patch === undefined ? create(to, content) : clone(to, patch);
    if (options.like !== undefined) copyOwnership(fd, options.like, 0o777);
    if (options.from !== undefined) copyOwnership(fd, options.from, privateMode());
    if (options.sync) fs.fsyncSync(fd);
  } catch (error) {
    tryRemove(to);
    throw error instanceof CrimgError ? error : ioError("write", to, error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** The file whose owner and mode a new version of `name` gets: the old one, or a neighbour. */
export function modelFor(directory: string, name: string, neighbours: Iterable<string>): string | undefined {
  for (const each of [name, ...neighbours]) {
    const file = path.join(directory, each);
    if (fs.existsSync(file)) return file;
  }
  return undefined;
}

/** The target that a symbolic link of `fromDirectory` needs in `toDirectory` to resolve to the same file. */
export function rebasedLink(link: string, fromDirectory: string, toDirectory: string): string {
  if (path.isAbsolute(link)) return link;
  const target = path.resolve(fromDirectory, link);
  if (target === fromDirectory || target.startsWith(fromDirectory + path.sep)) return link;
  return path.relative(toDirectory, target);
}

/** A file and its patches, in order, and the size that it gets. */
interface FilePatch {
  readonly file: FileSource;
  readonly patches: readonly { readonly offset: number; readonly bytes: Buffer }[];
  readonly size: number;
}

/** Undefined unless the content is a large file of which only bytes in their place, and its end, are others. */
function asPatch(content: ByteSource): FilePatch | undefined {
  if (content instanceof FileSource)
    return content.size < CLONE_FROM_BYTES ? undefined : { file: content, patches: [], size: content.size };
  if (content instanceof ConcatSource) return patchOfPieces(content);
  if (!(content instanceof SplicedSource)) return undefined;
  if (!content.splices.every(({ size, bytes }) => size === bytes.length)) return undefined;
  const base = asPatch(content.base);
  return base && { ...base, patches: [...base.patches, ...content.splices] };
}

/** A patch for pieces of one file that mostly stay where they are; undefined if too much is new or moves. */
function patchOfPieces({ pieces, size }: ConcatSource): FilePatch | undefined {
  let file: FileSource | undefined;
  let at = 0;
  let fresh = 0;
  const patches: FilePatch["patches"][number][] = [];
  for (const piece of pieces) {
    const length = pieceSize(piece);
    const isKept =
      "source" in piece && piece.offset === at && piece.source instanceof FileSource && length > 0;
    if (isKept) {
      file ??= piece.source as FileSource;
      if (piece.source !== file) return undefined;
    } else {
      fresh += length;
      if (fresh > CLONE_FROM_BYTES) return undefined;
      patches.push({ offset: at, bytes: bytesOf(piece) });
    }
    at += length;
  }
  return file === undefined || file.size < CLONE_FROM_BYTES ? undefined : { file, patches, size };
}

function bytesOf(piece: Piece): Buffer {
  if (Buffer.isBuffer(piece)) return piece;
  return "zeros" in piece ? Buffer.alloc(piece.zeros) : piece.source.read(piece.offset, piece.size);
}

function clone(to: string, { file, patches, size }: FilePatch): number {
  // A clone has the mode of its source at first; in this directory nobody else can reach it.
  const name = fs.mkdtempSync(`${to}-`);
  const aside = PinnedDirectory.openNew(name);
  try {
    const copy = aside.at("copy");
    new FileSharer().share(fs.realpathSync(file.path), copy, { hardLink: false, copy: false });
    fs.chmodSync(copy, privateMode());
    fs.renameSync(copy, to);
  } finally {
    tryRemove(aside.at("copy"));
    aside.close();
    tryRemoveDirectory(name);
  }
  const fd = fs.openSync(to, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  if (size !== file.size) fs.ftruncateSync(fd, size);
  for (const { offset, bytes } of patches) writeAll(fd, bytes, offset);
  return fd;
}

function create(to: string, content: ByteSource | Iterable<Buffer>): number {
  const fd = createPrivate(to);
  try {
    let offset = 0;
    for (const chunk of Symbol.iterator in content ? content : chunksOf(content)) {
      writeAll(fd, chunk, offset);
      offset += chunk.length;
    }
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function writeAll(fd: number, bytes: Buffer, offset: number): void {
  for (let done = 0; done < bytes.length; )
    done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** Keeps the owner if the caller may: an image holds a program's memory, for those who could read it before. */
function copyOwnership(fd: number, like: string, allowed: number): void {
  const { mode, uid, gid } = fs.statSync(like);
  const own = fs.fstatSync(fd);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fs.fchownSync(fd, uid, gid);
    } catch {
      // Only root may change the owner.
    }
  }
  fs.fchmodSync(fd, mode & allowed);
}
