import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import {
  IPC_CREAT,
  IPC_EXCL,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  SHM_DEST,
  SHMID_DS_BYTES,
} from "../../../linux/mman.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import { copyRange } from "./files/memfd.js";
import type { ImageVma, SavedRange } from "./image-memory.js";

const PERMISSIONS = 0o777;
/** The number that the next segment gets, for those with CAP_CHECKPOINT_RESTORE: ipc/ipc_sysctl.c. */
const NEXT_ID = "/proc/sys/kernel/shm_next_id";

type Segment = NonNullable<ImageVma["segment"]>;

/**
 * System V segments of an image: those that are still there and that nobody uses get their contents back, others are made
 * anew, with the same key and number.
 */
export class SysvSegments {
  /** Number and address in crimg: while it has a segment attached, one that was removed stays. */
  readonly #attached = new Map<number, number>();
  readonly #made: number[] = [];

  constructor(readonly image: number) {}

  /** `pages`: contents, by offset. Errors: BackendError when number or key are in use by another one. */
  get({ segment }: ImageVma, pages: readonly SavedRange[]): number {
    if (segment === undefined) throw new Error("the area is no segment");
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
    if (given !== shmid)
      throw new BackendError(`the number ${shmid} of a System V segment cannot be had on this host`);
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
        copyRange(this.image, offset, memory, at + start, Math.min(end, size) - start);
    } finally {
      fs.closeSync(memory);
    }
  }
}

/** Whether the segment is there as it was. Errors: BackendError when it is another one, or somebody uses it. */
function isThere({ shmid, key, size }: Segment): boolean {
  const bytes = Buffer.alloc(SHMID_DS_BYTES);
  if (attempt(SYS.shmctl, shmid, IPC_STAT, bytes) < 0) return false;
  const users = bytes.readBigUInt64LE(88);
  if (bytes.readUInt32LE(0) !== key || bytes.readBigUInt64LE(48) !== size)
    throw new BackendError(
      `the System V segment ${shmid} of this host is another one than in the checkpoint`,
    );
  if (users > 0n)
    throw new BackendError(`the System V segment ${shmid} is in use on this host by ${users} mappings`);
  return true;
}
