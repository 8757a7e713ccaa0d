import { availableParallelism } from "node:os";
import { BackendError } from "../../../io/errors.js";
import { ENOMEM } from "../../../linux/errno.js";
import {
  MADV_GUARD_INSTALL,
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  MLOCK_ONFAULT,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_WRITE,
  SHM_EXEC,
  SHM_RDONLY,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_READ,
  VM_WRITE,
} from "../../../linux/mman.js";
import { PR_SET_MM, PR_SET_MM_MAP } from "../../../linux/prctl.js";
import type { Appliers } from "../restore/context.js";
import type { FdTransfer } from "../restore/fd-transfer.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { CLONE_AS_THREAD, clone } from "../tasks/stub-process.js";
import type { ImageMemory, ImageVma, SavedRange } from "./image.js";
import type { MemoryStep } from "./plan.js";
import { assertSameVdso, mapVdso } from "./vdso.js";
import { advices } from "./vma-flags.js";

export const MEMORY: Appliers<MemoryStep> = {
  vdso(context, { task, memory }) {
    const { remote } = context.task(task);
    const { vmas } = context.image.memory(memory);
    mapVdso(remote, vmas);
    assertSameVdso(remote, vmas, context.imageFd);
  },
  vma(context, { task, vma }) {
    const { remote, transfer } = context.task(task);
    buildVma(remote, transfer, vma, {
      image: context.imageFd,
      file: (objref) => context.files.get(objref),
      shared: (objref) => context.shared.get(remote, objref),
      segment: (each) => context.shared.segment(each),
      reserved: context.ids,
      onFilled: (bytes) => context.filled(bytes),
    });
  },
  "describe memory"(context, { task, memory }) {
    const { remote, transfer } = context.task(task);
    const described = context.image.memory(memory);
    transfer.lend(context.files.get(described.exe), (exe) => describeMemory(remote, described, exe));
  },
  "detach segments": ({ shared }) => shared.detachSegments(),
  seals: ({ files }) => files.seal(),
};

const MM_MAP_BYTES = 104;

/** What the VMAs of the processes of an image are made of, as descriptors of crimg. */
interface MemorySources {
  /** The image. */
  readonly image: number;
  /** A file by its FILE number. */
  file(objref: number): number;
  /** A shared anonymous object by its number. */
  shared(objref: number): number;
  /** Number of the System V segment that a VMA is. */
  segment(vma: ImageVma): number;
  /** Ids of tasks to come, which no other task may have meanwhile. */
  readonly reserved: ReadonlySet<number>;
  /** Told how many bytes more are in place. */
  onFilled(bytes: number): void;
}

/** Maps a VMA of an image into a task, and fills it. */
function buildVma(remote: RemoteTask, transfer: FdTransfer, vma: ImageVma, sources: MemorySources): void {
  const { kind, start, end, flags, pages, offset } = vma;
  const protection = Number(flags & (VM_READ | VM_WRITE | VM_EXEC));
  const isShared = (flags & VM_MAYSHARE) !== 0n;
  const fills = pages.length > 0 && kind !== "shared anonymous";
  const name = `map 0x${start.toString(16)}`;
  const map = (fd: number): void => {
    remote.call(
      name,
      SYS.mmap,
      start,
      end - start,
      fills ? protection | PROT_WRITE : protection,
      mapFlags(vma, isShared) | (fd < 0 ? MAP_ANONYMOUS : 0),
      fd,
      fd < 0 ? 0 : offset,
    );
  };
  if (vma.segment !== undefined) attach(remote, vma, sources.segment(vma), protection);
  else if (kind === "anonymous") map(-1);
  else transfer.lend(kind === "shared anonymous" ? sources.shared(vma.object) : sources.file(vma.file), map);
  if (fills) {
    fill(remote, transfer.keep(sources.image), pages, sources);
    if ((protection & PROT_WRITE) === 0) remote.call(name, SYS.mprotect, start, end - start, protection);
  }
  // Before it is locked: locked memory gets no guard pages.
  for (const guard of vma.guards)
    remote.call(
      `install guard pages at 0x${guard.start.toString(16)}`,
      SYS.madvise,
      guard.start,
      guard.end - guard.start,
      MADV_GUARD_INSTALL,
    );
  // Advice that this kernel was built without cannot have been in force.
  for (const advice of advices(vma.advice)) remote.attempt(SYS.madvise, start, end - start, advice);
  if ((flags & VM_LOCKED) !== 0n) lock(remote, vma);
}

/** Locks a VMA in memory, mlock2(2). With guard pages it is locked and ENOMEM tells that they cannot be read. */
function lock(remote: RemoteTask, { start, end, flags, guards }: ImageVma): void {
  const how = (flags & VM_LOCKONFAULT) === 0n ? 0 : MLOCK_ONFAULT;
  const result = remote.attempt(SYS.mlock2, start, end - start, how);
  if (guards.length > 0 && result === -ENOMEM) return;
  remote.tracee.succeeded(`lock 0x${start.toString(16)} in memory`, result);
}

/** A System V segment, shmat(2). */
function attach(
  remote: RemoteTask,
  { start, end, flags }: ImageVma,
  shmid: number,
  protection: number,
): void {
  const isReadOnly = (flags & VM_MAYWRITE) === 0n;
  const isCode = (protection & PROT_EXEC) !== 0;
  remote.call(
    `attach the segment ${shmid}`,
    SYS.shmat,
    shmid,
    start,
    (isReadOnly ? SHM_RDONLY : 0) | (isCode ? SHM_EXEC : 0),
  );
  remote.call("set the protection of the segment", SYS.mprotect, start, end - start, protection);
}

function mapFlags({ flags, isDroppable }: ImageVma, isShared: boolean): number {
  return (
    MAP_FIXED_NOREPLACE |
    (isDroppable ? MAP_DROPPABLE : isShared ? MAP_SHARED : MAP_PRIVATE) |
    ((flags & VM_GROWSDOWN) !== 0n ? MAP_GROWSDOWN : 0) |
    ((flags & VM_NORESERVE) !== 0n ? MAP_NORESERVE : 0)
  );
}

/** Tells the kernel what the VMAs are for: code, heap, stack, arguments, and which program this is. prctl(2). */
function describeMemory(remote: RemoteTask, { mm, auxv }: ImageMemory, exe: number): void {
  const map = Buffer.alloc(MM_MAP_BYTES);
  const { code, data, heap, startStack, argv, environ } = mm;
  const fields = [
    ...[code.start, code.end, data.start, data.end, heap.start, heap.end],
    ...[startStack, argv.start, argv.end, environ.start, environ.end],
  ];
  for (const [i, value] of fields.entries()) map.writeBigUInt64LE(value, i * 8);
  map.writeBigUInt64LE(BigInt(remote.put(auxv, PAGE_SIZE)), 88);
  map.writeUInt32LE(auxv.length, 96);
  map.writeInt32LE(exe, 100);
  remote.call("set its memory layout", SYS.prctl, PR_SET_MM, PR_SET_MM_MAP, remote.put(map), MM_MAP_BYTES, 0);
}

/** IOV_MAX of limits.h, and bytes of a struct iovec. */
const MAX_IOVECS = 1024;
const IOVEC_BYTES = 16;
const VECTOR_BYTES = MAX_IOVECS * IOVEC_BYTES;
/** What one call reads at most: a slow disk must not keep a task in it for long. */
const MAX_BYTES = 32 * 1024 * 1024;
/** From here on a second thread saves more than it costs. */
const SECOND_THREAD_BYTES = 4 * MAX_BYTES;

/** Whom to tell how many bytes more are in place, and which ids tasks of the image will have. */
interface Filling {
  readonly reserved: ReadonlySet<number>;
  onFilled(bytes: number): void;
}

/**
 * The task reads its pages from the image itself: neighbours in the image into many places by one call. Most of that is
 * making pages, which the kernel does for two threads of an address space at once.
 */
function fill(
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
