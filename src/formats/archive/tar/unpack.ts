import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { chunksOf } from "../../../io/digest.js";
import { FormatError, ioError, isCrimgError } from "../../../io/errors.js";
import type { PinnedDirectory } from "../../../io/pinned-directory.js";
import { fsPath } from "../../../io/rooted-path.js";
import type { ByteSource } from "../../../io/source.js";
import type { TarMember } from "./member.js";
import { readTar } from "./read.js";
import { memberSource, TarTree } from "./tree.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;
const SET_IDS = 0o6000;
/** Of a layer: a deleted file, and a directory of which nothing below is kept (OCI image specification, layer.md). */
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

export interface UnpackOptions {
  /** Whether files may set the user or group id of who runs them. */
  readonly setIds: boolean;
}

/**
 * Unpacks an archive into a directory, over what is there, with owners, modes and times, but without extended attributes;
 * whiteouts of a layer remove files. No member leads out of the directory or through a symbolic link; all names are checked
 * before the first is written.
 * Errors: FormatError INVALID for a member that would, for a device, and for one that sets ids if these may not; IO.
 */
export function unpackTar(source: ByteSource, root: PinnedDirectory, options: UnpackOptions): void {
  // Refuses names that are absolute, lead out by `..`, or through a member that is no directory.
  new TarTree(source, source.name);
  const members = [...readTar(source)];
  for (const member of members) assertPlain(member, source, options);
  for (const member of members) if (isWhiteout(member)) applyWhiteout(member, root);
  const directories: TarMember[] = [];
  for (const member of members) {
    if (isWhiteout(member)) continue;
    try {
      if (member.type === "a directory") {
        directoryIn(root, member.path, (made) => void made);
        directories.push(member);
      } else unpackFile(member, source, root);
    } catch (error) {
      throw isCrimgError(error) ? error : ioError("unpack", `${source.name}//${member.path}`, error);
    }
  }
  // Last, since writing in a directory changes its time.
  for (const member of directories.reverse())
    directoryIn(root, member.path, ({ fd }) => {
      fs.fchownSync(fd, member.uid, member.gid);
      fs.fchmodSync(fd, member.mode & 0o7777);
      fs.futimesSync(fd, member.mtime, member.mtime);
    });
}

/** Removes a file or directory below a root, by a path that may begin with a slash. Errors: FormatError INVALID, IO. */
export function removeInside(root: PinnedDirectory, path: string): void {
  const parts = partsOf(path);
  const base = parts.pop();
  if (base === undefined) return;
  let directory = root;
  const opened: PinnedDirectory[] = [];
  try {
    for (const part of parts) {
      const stat = directory.stat(part);
      if (stat === undefined) return;
      if (!stat.isDirectory()) throw notThrough(path, part);
      opened.push(directory.directory(part));
      directory = opened.at(-1) as PinnedDirectory;
    }
    if (directory.stat(base) !== undefined) directory.remove(base);
  } finally {
    for (const each of opened) each.close();
  }
}

/** Makes an empty directory or file below a root, with those above it; one that is there stays. Errors: as `unpackTar`. */
export function makeInside(root: PinnedDirectory, path: string, type: "directory" | "file"): void {
  const parts = partsOf(path);
  const base = parts.pop();
  if (base === undefined) return;
  directoryIn(root, parts.join("/"), (directory) => {
    if (directory.stat(base) !== undefined) return;
    const file = fsPath(directory.at(base));
    if (type === "directory") fs.mkdirSync(file, 0o755);
    else fs.closeSync(fs.openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644));
  });
}

function assertPlain(
  { path, type, mode, start }: TarMember,
  { name }: ByteSource,
  { setIds }: UnpackOptions,
): void {
  const invalid = (why: string): FormatError =>
    new FormatError("INVALID", `the member ${JSON.stringify(path)} ${why}`, { file: name, offset: start });
  const isKnown = ["a regular file", "a directory", "a symbolic link", "a hard link", "a FIFO"].includes(
    type,
  );
  if (!isKnown) throw invalid(`is ${type}, which is not unpacked`);
  if (!setIds && type === "a regular file" && (mode & SET_IDS) !== 0)
    throw invalid("sets the user or group id of who runs it; to allow that: --allow-rights setuid");
}

function isWhiteout({ path }: TarMember): boolean {
  return baseOf(path).startsWith(WHITEOUT);
}

function applyWhiteout({ path }: TarMember, root: PinnedDirectory): void {
  const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const base = baseOf(path);
  if (base !== OPAQUE) removeInside(root, `${above}/${base.slice(WHITEOUT.length)}`);
  else
    directoryIn(root, above, (directory) => {
      for (const name of directory.names()) directory.remove(name);
    });
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function unpackFile(member: TarMember, source: ByteSource, root: PinnedDirectory): void {
  const { path, type, uid, gid, mode, mtime, target = "" } = member;
  const base = baseOf(path);
  directoryIn(root, path.slice(0, Math.max(0, path.lastIndexOf("/"))), (directory) => {
    if (directory.stat(base) !== undefined) directory.remove(base);
    const file = fsPath(directory.at(base));
    if (type === "a hard link") {
      linkInside(root, target, file);
      return;
    }
    if (type === "a symbolic link") {
      fs.symlinkSync(fsPath(target), file);
      fs.lchownSync(file, uid, gid);
      return;
    }
    if (type === "a FIFO") {
      makeFifo(directory, base, mode);
      fs.lchownSync(file, uid, gid);
    } else writeFile(file, member, memberSource(source, member, `${source.name}//${path}`));
    fs.lutimesSync(file, mtime, mtime);
  });
}

function writeFile(file: string | Buffer, { uid, gid, mode }: TarMember, content: ByteSource): void {
  const fd = fs.openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    for (const chunk of chunksOf(content))
      for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
    // The owner first: changing it clears the bits that set ids.
    fs.fchownSync(fd, uid, gid);
    fs.fchmodSync(fd, mode & 0o7777);
  } finally {
    fs.closeSync(fd);
  }
}

function linkInside(root: PinnedDirectory, target: string, file: string | Buffer): void {
  const parts = partsOf(target);
  const base = parts.pop() ?? "";
  directoryIn(root, parts.join("/"), (directory) => fs.linkSync(fsPath(directory.at(base)), file));
}

/** Node has no mkfifo(3). */
function makeFifo({ fd }: PinnedDirectory, base: string, mode: number): void {
  const path = `/proc/${process.pid}/fd/${fd}/${base}`;
  const { status, stderr } = spawnSync("mkfifo", ["--mode", (mode & 0o777).toString(8), "--", path], {
    encoding: "utf8",
  });
  if (status !== 0) throw new FormatError("INVALID", `mkfifo failed: ${stderr.trim()}`, { file: base });
}

/** Calls with a directory below a root, made where it is missing. Errors: FormatError INVALID for a link on the way. */
function directoryIn(root: PinnedDirectory, path: string, use: (directory: PinnedDirectory) => void): void {
  const opened: PinnedDirectory[] = [];
  try {
    let directory = root;
    for (const part of partsOf(path)) {
      const stat = directory.stat(part);
      if (stat === undefined) fs.mkdirSync(fsPath(directory.at(part)), 0o755);
      else if (!stat.isDirectory()) throw notThrough(path, part);
      opened.push(directory.directory(part));
      directory = opened.at(-1) as PinnedDirectory;
    }
    use(directory);
  } finally {
    for (const each of opened) each.close();
  }
}

/** Errors: FormatError INVALID for `..`. */
function partsOf(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || path.includes("\0"))
    throw new FormatError("INVALID", `the path ${JSON.stringify(path)} leads out of the root`);
  return parts;
}

function notThrough(path: string, part: string): FormatError {
  return new FormatError(
    "INVALID",
    `the path ${JSON.stringify(path)} leads through ${JSON.stringify(part)}, which is no directory of the root`,
  );
}
