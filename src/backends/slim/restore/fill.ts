import { availableParallelism } from "node:os";
import { BackendError } from "../../../io/errors.js";
import { SYS } from "../sys/abi-x64.js";
import { CLONE_AS_THREAD, clone } from "./clone.js";
import type { SavedRange } from "./image-memory.js";
import type { RemoteTask } from "./work-area.js";

/** IOV_MAX of limits.h, and bytes of a struct iovec. */
const MAX_IOVECS = 1024;
const IOVEC_BYTES = 16;
const VECTOR_BYTES = MAX_IOVECS * IOVEC_BYTES;
/** What one call reads at most: a slow disk must not keep a task in it for long. */
const MAX_BYTES = 32 * 1024 * 1024;
/** From here on a second thread saves more than it costs. */
const SECOND_THREAD_BYTES = 4 * MAX_BYTES;

/** Whom to tell how many bytes more are in place, and which ids tasks of the image will have. */
export interface Filling {
  readonly reserved: ReadonlySet<number>;
  onFilled(bytes: number): void;
}

/**
 * The task reads its pages from the image itself: neighbours in the image into many places by one call. Most of that is
 * making pages, which the kernel does for two threads of an address space at once.
 */
export function fill(
  remote: RemoteTask,
  image: number,
  saved: readonly SavedRange[],
  { reserved, onFilled }: Filling,
): void {
  const size = saved.reduce((sum, { start, end }) => sum + end - start, 0);
  const second =
    size >= SECOND_THREAD_BYTES && availableParallelism() > 1 ? secondThread(remote, reserved) : undefined;
  const readers = [remote, ...(second === undefined ? [] : [second])].map(
    (each, i) => new Reader(each, image, i * VECTOR_BYTES),
  );
  let turn = 0;
  for (const batch of batches(saved.flatMap(inPieces))) {
    const reader = readers[turn++ % readers.length] as Reader;
    onFilled(reader.finish());
    reader.begin(batch);
  }
  for (const reader of readers) onFilled(reader.finish());
  second?.tracee.end(second.site, SYS.exit, 0);
}

/** It ends before the threads of the image are made. Without one whose id none of them needs, there is none. */
function secondThread(remote: RemoteTask, reserved: ReadonlySet<number>): RemoteTask | undefined {
  const second = remote.for(clone(remote, "any", CLONE_AS_THREAD, 0));
  if (!reserved.has(second.tracee.tid)) return second;
  second.tracee.end(second.site, SYS.exit, 0);
  return undefined;
}

/** What one preadv(2) reads. */
interface Batch {
  /** struct iovec[]. */
  readonly vector: Buffer;
  readonly count: number;
  readonly size: number;
  /** In the image. */
  readonly offset: number;
}

function* batches(pages: readonly SavedRange[]): Generator<Batch> {
  for (let i = 0; i < pages.length; ) {
    const { offset } = pages[i] as SavedRange;
    const vector = Buffer.alloc(VECTOR_BYTES);
    let count = 0;
    let size = 0;
    for (; i < pages.length && count < MAX_IOVECS; i++) {
      const { start, end, offset: next } = pages[i] as SavedRange;
      if (next !== offset + size || (size > 0 && size + end - start > MAX_BYTES)) break;
      vector.writeBigUInt64LE(BigInt(start), count * IOVEC_BYTES);
      vector.writeBigUInt64LE(BigInt(end - start), count * IOVEC_BYTES + 8);
      count++;
      size += end - start;
    }
    yield { vector, count, size, offset };
  }
}

function inPieces({ start, end, offset }: SavedRange): SavedRange[] {
  const pieces: SavedRange[] = [];
  for (let at = start; at < end; at += MAX_BYTES)
    pieces.push({ start: at, end: Math.min(end, at + MAX_BYTES), offset: offset + at - start });
  return pieces;
}

/** A thread that reads one batch at a time. */
class Reader {
  #batch: Batch | undefined;
  #done = 0;

  constructor(
    readonly remote: RemoteTask,
    readonly image: number,
    /** Of its vector in the scratch area. */
    readonly place: number,
  ) {}

  begin(batch: Batch): void {
    this.#batch = batch;
    this.#done = 0;
    this.#read(batch);
  }

  /** Waits until the batch is in place, and gives its size. Errors: BackendError when the image ends too early. */
  finish(): number {
    const batch = this.#batch;
    if (batch === undefined) return 0;
    const { tracee } = this.remote;
    for (;;) {
      const got = tracee.succeeded("read pages", tracee.result());
      if (got === 0) throw new BackendError("the image ended before its pages");
      this.#done += got;
      if (this.#done >= batch.size) break;
      skip(batch.vector, batch.count, got);
      this.#read(batch);
    }
    this.#batch = undefined;
    return batch.size;
  }

  #read({ vector, count, offset }: Batch): void {
    const { remote } = this;
    const address = remote.put(vector.subarray(0, count * IOVEC_BYTES), this.place);
    remote.tracee.begin(remote.site, SYS.preadv, this.image, address, count, offset + this.#done);
  }
}

/** Moves the vector behind what a short read has filled. */
function skip(vector: Buffer, count: number, got: number): void {
  let rest = BigInt(got);
  for (let i = 0; i < count && rest > 0n; i++) {
    const at = i * IOVEC_BYTES;
    const length = vector.readBigUInt64LE(at + 8);
    const step = rest < length ? rest : length;
    vector.writeBigUInt64LE(vector.readBigUInt64LE(at) + step, at);
    vector.writeBigUInt64LE(length - step, at + 8);
    rest -= step;
  }
}
