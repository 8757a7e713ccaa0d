import fs from "node:fs";
import path from "node:path";
import { CrimgError, ioError } from "./errors.js";

/**
 * Writes a file that is there complete or not at all: beside its place first, then moved there. An existing file keeps
 * its permission bits; what is no regular file (a pipe, a device) is written to as it is. Errors: IO, and whatever
 * `chunks` throws while it is pulled.
 */
export function replaceFile(file: string, chunks: Iterable<string | Uint8Array>): void {
  const existing = fs.statSync(file, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isFile()) {
    writeChunks(file, "w", chunks);
    return;
  }
  const target = existing === undefined ? file : fs.realpathSync(file);
  const fresh = path.join(path.dirname(target), `.${path.basename(target)}.crimg-${process.pid}`);
  try {
    writeChunks(fresh, "wx", chunks, file);
    if (existing !== undefined) fs.chmodSync(fresh, existing.mode & 0o7777);
    fs.renameSync(fresh, target);
  } catch (error) {
    fs.rmSync(fresh, { force: true });
    throw isSystemError(error) ? ioError("write it", file, error) : error;
  }
}

function writeChunks(
  file: string,
  how: "w" | "wx",
  chunks: Iterable<string | Uint8Array>,
  name = file,
): void {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, how);
    for (const chunk of chunks) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done);
    }
  } catch (error) {
    throw isSystemError(error) ? ioError("write it", name, error) : error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function isSystemError(error: unknown): boolean {
  return !(error instanceof CrimgError) && error instanceof Error && "syscall" in error;
}
