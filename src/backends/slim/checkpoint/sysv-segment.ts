import { IPC_STAT, SHMID_DS_BYTES } from "../../../linux/mman.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";

/** SYSV_SEGMENT of a segment by its number, which is the inode number of its mappings: shm_mmap() in ipc/shm.c. */
export function segmentFields(shmid: number): Readonly<Record<string, number | bigint>> {
  const bytes = Buffer.alloc(SHMID_DS_BYTES);
  call(`look at the System V segment ${shmid}`, SYS.shmctl, shmid, IPC_STAT, bytes);
  const word = (at: number): number => bytes.readUInt32LE(at);
  return {
    shmid,
    key: word(0),
    uid: word(4),
    gid: word(8),
    cuid: word(12),
    cgid: word(16),
    mode: word(20),
    size: bytes.readBigUInt64LE(48),
  };
}
