import fs from "node:fs";
import { ScatteredPages } from "../../../formats/linux-cr/stream-writer.js";
import { ConcatSource, type Piece, pieceSize } from "../../../io/concat.js";
import { chunksOf } from "../../../io/digest.js";
import { CrimgError, ioError, UsageError } from "../../../io/errors.js";
import { withPath } from "../../../io/pinned-directory.js";
import { createPrivate, type OutputName, privateMode } from "../../../io/private-file.js";
import type { ByteSource } from "../../../io/source.js";
import { removeAbandoned, temporaryName } from "../../../io/temporary.js";
import { tryRemove } from "../../../io/try-remove.js";
import { replaces } from "../../../io/write-file.js";
import { EEXIST } from "../../../linux/errno.js";
import { AT_FDCWD, AT_SYMLINK_FOLLOW } from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { O_TMPFILE } from "../../../linux/open-flags.js";
import { TaskMemory, UnsharedMemory } from "../memory/task-memory.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";

/** Told how many bytes of how many are written. */
type OnWritten = (done: number, total: number) => void;

/**
 * Writes an image to a file that gets its name once it is whole: killed at any moment, crimg leaves nothing behind, or all
 * of it. Only on file systems without O_TMPFILE, and while an old file is replaced, a file beside it has a name of its own.
 * The bytes are with the kernel then, not yet on the disk. Errors: USAGE when it exists (a file is replaced with `force`); IO.
 */
export function saveImage(image: ByteSource, name: OutputName, force: boolean, onWritten: OnWritten): void {
  const { directory, base, path: out } = name;
  const isOld = withPath(directory.at(base), out, () => replaces(directory.at(base), force));
  removeAbandoned(directory.inside, base);
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
    throw error instanceof CrimgError ? error : ioError("write", out, error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
    if (isNamed) tryRemove(aside);
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
    throw new UsageError("the file exists now; name a new one or use --force", { file: out });
  if (result < 0) throw new CrimgError("IO", `cannot give it a name (errno ${-result})`, { file: out });
}

/** Fits into the cache of the processor, where bytes are copied to and from. */
const CHUNK = 512 * 1024;

/** All bytes of an image; each chunk must be used before the next is asked for. Pages of one task are read many at once. */
function* imageBytes(image: ByteSource): Generator<Buffer> {
  if (!(image instanceof ConcatSource)) {
    yield* chunksOf(image);
    return;
  }
  const bytes = Buffer.allocUnsafe(CHUNK);
  let used = 0;
  let memory: UnsharedMemory | undefined;
  for (const piece of parts(image.pieces)) {
    const size = pieceSize(piece);
    for (let done = 0; done < size; ) {
      if (used === CHUNK) {
        memory?.gather(bytes);
        yield bytes;
        used = 0;
      }
      const length = Math.min(size - done, CHUNK - used);
      if (Buffer.isBuffer(piece)) piece.copy(bytes, used, done, done + length);
      else if ("zeros" in piece) bytes.fill(0, used, used + length);
      else if (piece.source instanceof TaskMemory)
        piece.source.readInto(bytes, used, piece.offset + done, length);
      else if (piece.source instanceof UnsharedMemory) {
        if (piece.source !== memory) memory?.gather(bytes);
        memory = piece.source;
        memory.want(piece.offset + done, length, bytes, used);
      } else piece.source.read(piece.offset + done, length).copy(bytes, used);
      used += length;
      done += length;
    }
  }
  memory?.gather(bytes);
  if (used > 0) yield bytes.subarray(0, used);
}

/** Pieces with the runs of scattered pages in their place. */
function* parts(pieces: readonly Piece[]): Generator<Piece> {
  for (const piece of pieces)
    if ("source" in piece && piece.source instanceof ScatteredPages)
      for (const { from, pages } of piece.source.runs)
        yield from === undefined
          ? { zeros: pages * PAGE_SIZE }
          : { source: from.source, offset: from.offset, size: pages * PAGE_SIZE };
    else yield piece;
}
