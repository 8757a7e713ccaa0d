/** Seccomp filters and strict mode of threads. */

import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { StreamWriter } from "../../../formats/linux-cr/stream-writer.js";
import { ENOENT } from "../../../linux/errno.js";
import { SOCK_FILTER_BYTES } from "../../../linux/seccomp.js";
import { ptrace } from "../ptrace/ptrace.js";
import { KernelError } from "../sys/kernel-error.js";

/** struct seccomp_metadata: which filter, and its flags. */
const METADATA_BYTES = 16;

/** A program of seccomp(2). */
export interface SeccompFilter {
  /** struct sock_filter each. */
  readonly program: Buffer;
  /** SECCOMP_FILTER_FLAG_LOG is all that the kernel keeps. */
  readonly flags: number;
}

/** The filters of a stopped thread, the oldest first. Errors: KernelError, EACCES without CAP_SYS_ADMIN. */
export function seccompFilters(tid: number): SeccompFilter[] {
  const newestFirst: SeccompFilter[] = [];
  for (;;) {
    const index = newestFirst.length;
    const instructions = countOf(tid, index);
    if (instructions === undefined) return newestFirst.reverse();
    const program = Buffer.alloc(instructions * SOCK_FILTER_BYTES);
    ptrace("seccompGetFilter", tid, index, program);
    const metadata = Buffer.alloc(METADATA_BYTES);
    metadata.writeBigUInt64LE(BigInt(index));
    ptrace("seccompGetMetadata", tid, METADATA_BYTES, metadata);
    newestFirst.push({ program, flags: Number(metadata.readBigUInt64LE(8)) });
  }
}

/** Instructions of a filter, counted from the newest; undefined behind the oldest. */
function countOf(tid: number, index: number): number | undefined {
  try {
    return ptrace("seccompGetFilter", tid, index, 0);
  } catch (error) {
    if (error instanceof KernelError && error.errno === ENOENT) return undefined;
    throw error;
  }
}

/**
 * SECCOMP_FILTER of all threads, before the first TASK: filters that several share, as after fork(2), are written once.
 * Gives the number of the last filter of each thread, by tid.
 */
export function writeSeccompFilters(
  writer: StreamWriter,
  threads: Iterable<{ readonly tid: number; readonly filters: readonly SeccompFilter[] }>,
): Map<number, number> {
  const last = new Map<number, number>();
  const known = new Map<string, number>();
  for (const { tid, filters } of threads) {
    let previous = 0;
    for (const { program, flags } of filters) {
      const key = `${previous} ${flags} ${program.toString("hex")}`;
      const ref = known.get(key) ?? known.size + 1;
      if (!known.has(key)) {
        writer.record(RECORDS.SECCOMP_FILTER, { filter_ref: ref, prev_ref: previous, flags }, program);
        known.set(key, ref);
      }
      previous = ref;
    }
    if (previous !== 0) last.set(tid, previous);
  }
  return last;
}
