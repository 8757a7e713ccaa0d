import fs from "node:fs";
import path from "node:path";
import { chunksOf } from "./digest.js";
import { CrimgError, ioError } from "./errors.js";
import { FileSharer } from "./share.js";
import { type ByteSource, FileSource } from "./source.js";
import { SplicedSource } from "./splice.js";

export interface WriteOptions {
  /** File whose permission bits and, where allowed, owner the new file gets. */
  readonly like?: string | undefined;
  /** Bytes are on the disk when the call returns. */
  readonly sync: boolean;
}

/** A file of at least this size that keeps its length is cloned and patched instead of written anew. */
const CLONE_FROM_BYTES = 1024 * 1024;

/** Writes a new file; `to` must not exist. What fails is removed again. Errors: IO. */
export function writeSource(to: string, content: ByteSource, options: WriteOptions): void {
  let fd: number | undefined;
  try {
    fd = isPatchOfFile(content) ? clone(to, content) : create(to, content);
    if (options.like !== undefined) copyOwnership(fd, options.like);
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

/** Makes the names in a directory durable. */
export function syncDirectory(directory: string): void {
  const fd = fs.openSync(directory, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Where a symbolic link of `fromDirectory` must point from `toDirectory` to lead to the same place. */
export function rebasedLink(link: string, fromDirectory: string, toDirectory: string): string {
  if (path.isAbsolute(link)) return link;
  const target = path.resolve(fromDirectory, link);
  if (target === fromDirectory || target.startsWith(fromDirectory + path.sep)) return link;
  return path.relative(toDirectory, target);
}

interface FilePatch extends SplicedSource {
  readonly base: FileSource;
}

function isPatchOfFile(content: ByteSource): content is FilePatch {
  return (
    content instanceof SplicedSource &&
    content.base instanceof FileSource &&
    content.size >= CLONE_FROM_BYTES &&
    content.splices.every(({ size, bytes }) => size === bytes.length)
  );
}

function clone(to: string, content: FilePatch): number {
  new FileSharer().share(content.base.path, to, { hardLink: false, copy: false });
  fs.chmodSync(to, fs.statSync(to).mode | 0o200);
  const fd = fs.openSync(to, "r+");
  for (const { offset, bytes } of content.splices) writeAll(fd, bytes, offset);
  return fd;
}

function create(to: string, content: ByteSource): number {
  const fd = fs.openSync(to, "wx", 0o600);
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
function copyOwnership(fd: number, like: string): void {
  const { mode, uid, gid } = fs.statSync(like);
  const own = fs.fstatSync(fd);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fs.fchownSync(fd, uid, gid);
    } catch {
      // Only root may give files away.
    }
  }
  fs.fchmodSync(fd, mode & 0o7777);
}
