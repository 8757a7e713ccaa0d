import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import {
  IPC_CREAT,
  IPC_EXCL,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  PAGE_SIZE,
  SHM_DEST,
  SHMID_DS_BYTES,
} from "../../../linux/mman.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import { copyBytes } from "../files/file-data.js";
import { type Image, liveProcesses } from "../restore/image.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, openPath } from "../sys/syscall.js";
import type { ImageVma, SavedRange } from "./image.js";

const READ_WRITE = 3;
const SHARED_ANONYMOUS = 0x21;

/** Shared anonymous memory: each object made in the first task that maps it, and filled once. */
export class SharedMemory {
  readonly #made = new Map<number, number>();
  readonly #segments: SysvSegments;
  #vmas: Map<number, ImageVma[]> | undefined;

  constructor(
    readonly image: Image,
    readonly imageFd: number,
    readonly onFilled: (bytes: number) => void,
  ) {
    this.#segments = new SysvSegments(imageFd);
  }

  /** An object by a descriptor of crimg. Errors: BackendError for one that no VMA maps. */
  get(remote: RemoteTask, objref: number): number {
    const known = this.#made.get(objref);
    if (known !== undefined) return known;
    const vmas = this.#vmasOf(objref);
    const [vma] = vmas;
    if (vma === undefined) throw new BackendError(`there is no shared memory ${objref}`);
    const size = vma.objectSize;
    const at = remote.call("map shared memory", SYS.mmap, 0, size, READ_WRITE, SHARED_ANONYMOUS, -1, 0);
    const end = at + Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    const path = `/proc/${remote.tracee.pid}/map_files/${at.toString(16)}-${end.toString(16)}`;
    const fd = openPath(path, fs.constants.O_RDWR | O_CLOEXEC);
    this.#made.set(objref, fd);
    remote.call("unmap shared memory", SYS.munmap, at, size);
    const filled = vmas.find(({ pages }) => pages.length > 0);
    for (const { start, end: stop, offset } of filled?.pages ?? []) {
      copyBytes(this.imageFd, offset, fd, start, Math.min(stop, size) - start);
      this.onFilled(stop - start);
    }
    return fd;
  }

  /** A System V segment by its number, made at its first use. */
  segment(vma: ImageVma): number {
    const pages = this.#vmasOf(vma.object).find((each) => each.pages.length > 0)?.pages ?? [];
    return this.#segments.get(vma, pages);
  }

  /** All that had segments attached have them by now. */
  detachSegments(): void {
    this.#segments.close();
  }

  /** The restart failed: what was made for it goes away. */
  abandon(): void {
    this.#segments.abandon();
  }

  close(): void {
    this.#segments.close();
    for (const fd of this.#made.values()) attempt(SYS.close, fd);
    this.#made.clear();
  }

  #vmasOf(objref: number): readonly ImageVma[] {
    this.#vmas ??= this.#index();
    return this.#vmas.get(objref) ?? [];
  }

  #index(): Map<number, ImageVma[]> {
    const index = new Map<number, ImageVma[]>();
    for (const { objects } of liveProcesses(this.image))
      for (const vma of this.image.memory(objects.mm_objref).vmas) {
        if (vma.kind !== "shared anonymous") continue;
        const same = index.get(vma.object);
        if (same === undefined) index.set(vma.object, [vma]);
        else same.push(vma);
      }
    return index;
  }
}

const PERMISSIONS = 0o777;
/** The number that the next segment gets, for those with CAP_CHECKPOINT_RESTORE: ipc/ipc_sysctl.c. */
const NEXT_ID = "/proc/sys/kernel/shm_next_id";

type Segment = NonNullable<ImageVma["segment"]>;

/**
 * System V segments of an image: those that still exist and are not attached get their contents back, others are made
 * anew, with the same key and number.
 */
class SysvSegments {
  /** Number and address in crimg: while it has a segment attached, one that was removed stays. */
  readonly #attached = new Map<number, number>();
  readonly #made: number[] = [];

  constructor(readonly image: number) {}

  /** `pages`: contents, by offset. Errors: BackendError when number or key are in use by another one. */
  get({ segment }: ImageVma, pages: readonly SavedRange[]): number {
    if (segment === undefined) throw new Error("the VMA is no segment");
    const { shmid } = segment;
    if (this.#attached.has(shmid)) return shmid;
    if (!isThere(segment)) this.#make(segment);
    const at = call(`attach the System V segment ${shmid}`, SYS.shmat, shmid, 0, 0);
    this.#attached.set(shmid, at);
    if ((segment.mode & SHM_DEST) !== 0) call("remove a segment", SYS.shmctl, shmid, IPC_RMID, 0);
    this.#fill(at, Number(segment.size), pages);
    return shmid;
  }

  /** Removes what was made. */
  abandon(): void {
    for (const shmid of this.#made.splice(0)) attempt(SYS.shmctl, shmid, IPC_RMID, 0);
  }

  close(): void {
    for (const at of this.#attached.values()) attempt(SYS.shmdt, at);
    this.#attached.clear();
  }

  #make({ shmid, key, mode, size, uid, gid }: Segment): void {
    fs.writeFileSync(NEXT_ID, String(shmid));
    const flags = IPC_CREAT | IPC_EXCL | (mode & PERMISSIONS);
    const given = call(`make the System V segment ${shmid}`, SYS.shmget, key, size, flags);
    this.#made.push(given);
    if (given !== shmid) throw new BackendError(`this host does not give a System V segment the id ${shmid}`);
    const bytes = Buffer.alloc(SHMID_DS_BYTES);
    bytes.writeUInt32LE(uid, 4);
    bytes.writeUInt32LE(gid, 8);
    bytes.writeUInt32LE(mode & PERMISSIONS, 20);
    call("give a segment to its owner", SYS.shmctl, shmid, IPC_SET, bytes);
  }

  #fill(at: number, size: number, pages: readonly SavedRange[]): void {
    const memory = fs.openSync("/proc/self/mem", "r+");
    try {
      for (const { start, end, offset } of pages)
        copyBytes(this.image, offset, memory, at + start, Math.min(end, size) - start);
    } finally {
      fs.closeSync(memory);
    }
  }
}

/** Whether the segment is there as it was. Errors: BackendError when it differs or is in use. */
function isThere({ shmid, key, size }: Segment): boolean {
  const bytes = Buffer.alloc(SHMID_DS_BYTES);
  if (attempt(SYS.shmctl, shmid, IPC_STAT, bytes) < 0) return false;
  const users = bytes.readBigUInt64LE(88);
  if (bytes.readUInt32LE(0) !== key || bytes.readBigUInt64LE(48) !== size)
    throw new BackendError(`the System V segment ${shmid} of this host differs from that of the checkpoint`);
  if (users > 0n)
    throw new BackendError(`the System V segment ${shmid} is in use on this host by ${users} mappings`);
  return true;
}
