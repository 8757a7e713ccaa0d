import fs from "node:fs";
import path from "node:path";
import { CrimgError, ioError, UsageError } from "../../../io/errors.js";
import { PinnedDirectory } from "../../../io/pinned-directory.js";
import { createPrivate, privateMode } from "../../../io/private-file.js";
import type { ByteSource } from "../../../io/source.js";
import { removeAbandoned, temporaryName } from "../../../io/temporary.js";
import { replaces } from "../../../io/write-file.js";
import { EEXIST } from "../../../linux/errno.js";
import { AT_FDCWD, AT_SYMLINK_FOLLOW } from "../../../linux/files.js";
import { O_TMPFILE } from "../../../linux/open-flags.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { imageBytes } from "./image-bytes.js";

/** Told how many bytes of how many are written. */
export type OnWritten = (done: number, total: number) => void;

/**
 * Writes an image to a file that gets its name once it is whole: killed at any moment, crimg leaves nothing behind, or all
 * of it. Only on file systems without O_TMPFILE, and while an old file is replaced, a file beside it has a name of its own.
 * The bytes are with the kernel then, not yet on the disk. Errors: USAGE when `out` exists (a file is replaced with `force`); IO.
 */
export function saveImage(image: ByteSource, out: string, force: boolean, onWritten: OnWritten): void {
  const isOld = replaces(out, force);
  const { dir, base } = path.parse(path.resolve(out));
  removeAbandoned(dir, base);
  const directory = PinnedDirectory.open(dir);
  const [aside, named] = [directory.at(temporaryName(base)), directory.at(base)];
  let isNamed = false;
  let fd: number | undefined;
  try {
    fd = openNameless(directory.at("."));
    isNamed = fd === undefined;
    fd ??= createPrivate(aside);
    write(fd, image, onWritten);
    if (!isNamed && !isOld) {
      giveName(fd, named, out);
      return;
    }
    if (!isNamed) giveName(fd, aside, out);
    isNamed = true;
    fs.renameSync(aside, named);
    isNamed = false;
  } catch (error) {
    throw error instanceof CrimgError ? error : ioError("write it", out, error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
    if (isNamed) fs.rmSync(aside, { force: true });
    directory.close();
  }
}

function openNameless(directory: string): number | undefined {
  try {
    return fs.openSync(directory, O_TMPFILE | fs.constants.O_RDWR, privateMode());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EOPNOTSUPP" || code === "EISDIR") return undefined;
    throw error;
  }
}

function write(fd: number, image: ByteSource, onWritten: OnWritten): void {
  let done = 0;
  for (const chunk of imageBytes(image)) {
    for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
    done += chunk.length;
    onWritten(done, image.size);
  }
}

/** linkat(2) by the descriptor; `out` is for messages. */
function giveName(fd: number, name: string, out: string): void {
  const from = Buffer.from(`/proc/self/fd/${fd}\0`);
  const result = attempt(SYS.linkat, AT_FDCWD, from, AT_FDCWD, Buffer.from(`${name}\0`), AT_SYMLINK_FOLLOW);
  if (result === -EEXIST)
    throw new UsageError("the file exists by now; name a new one or say --force", { file: out });
  if (result < 0) throw new CrimgError("IO", `cannot give it a name (errno ${-result})`, { file: out });
}
