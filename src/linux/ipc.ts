import { type Domain, range } from "../io/domains.js";
import { flagTable } from "../io/enums.js";
import { SHM_HUGETLB } from "./mman.js";

/** Size of a segment in bytes: SHMMIN to SHMMAX, include/uapi/linux/shm.h. */
export const SEGMENT_BYTES = range(1, (1n << 64n) - 1n - (1n << 24n));
/** SEMVMX, the highest value of a semaphore, include/uapi/linux/sem.h. */
export const SEMVMX = 32_767;
/** The sysctls kernel.msg_next_id, sem_next_id and shm_next_id: an id, or -1 for any. */
export const NEXT_ID = range(-1, 0x7fff_ffff);
const UNSIGNED_NEXT_ID = range(0, 0x7fff_ffff);
/** The same for unsigned fields, with -1 stored as all ones. */
export function unsignedNextId(
  field: string,
): (owner: Readonly<Record<string, unknown>>) => Domain | undefined {
  return (owner) => (owner[field] === 0xffff_ffff ? undefined : UNSIGNED_NEXT_ID);
}

export const SHM_NORESERVE = 0o10000;
/** Permanent flags of a segment, include/uapi/linux/shm.h. */
export const SHM_FLAGS = flagTable("shm_flags", { SHM_NORESERVE, SHM_HUGETLB });

/** Maximum bytes of a host or domain name, include/uapi/linux/utsname.h. */
export const __NEW_UTS_LEN = 64;
