import { RECORDS } from "../../formats/linux-cr/records.js";
import { OFFSET_MAX } from "../../linux/files.js";
import { F_INPROGRESS } from "../../linux/locks.js";
import { NSEC_PER_SEC } from "../../linux/time.js";
import type { FileTable, Lock, LockKind, LockType } from "../checkpoint.js";
import type { StreamReader } from "./reader.js";

/** FILE_LOCK.fl_flags. */
const KINDS: Readonly<Record<number, LockKind>> = { 1: "posix", 2: "flock", 32: "lease", 1025: "ofd" };
const TYPES: readonly LockType[] = ["read", "write", "unlock"];

/** A descriptor table, and the task by whose pid its locks are known. */
export interface LockHolder {
  readonly table: number;
  readonly pid: number;
}

/**
 * The locks of descriptor tables by our FILE_LOCK records. One that stands under several descriptors is one lock, at the
 * first of them: a POSIX lock belongs to the table and the file, the others to the open file.
 */
export function linuxCrLocks(reader: StreamReader, holders: readonly LockHolder[], files: FileTable): Lock[] {
  const seen = new Set<string>();
  const locks: Lock[] = [];
  for (const { table, pid } of holders)
    for (const descriptor of reader.object(table, "FILE_TABLE")?.parts ?? []) {
      const fields = reader.find(descriptor, RECORDS.FILE_DESC)?.value;
      if (fields === undefined) continue;
      const file = files.get(fields.fd_objref);
      for (const part of descriptor.parts) {
        if (part.rule !== "lock") continue;
        const { index, value } = reader.get(part, RECORDS.FILE_LOCK);
        const kind = KINDS[value.fl_flags] ?? "posix";
        const holder = kind === "posix" ? `${table} ${file?.label}` : `${fields.fd_objref}`;
        const key = `${kind} ${holder} ${value.fl_start} ${value.fl_end} ${value.fl_type}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const breaking = (value.fl_type & F_INPROGRESS) !== 0;
        locks.push({
          kind,
          type: TYPES[value.fl_type & ~F_INPROGRESS] ?? "unknown",
          previous: breaking ? (TYPES[value.fl_type_prev] ?? "unknown") : undefined,
          breaking,
          remaining: breaking ? BigInt(value.fl_rem_lease) * NSEC_PER_SEC : undefined,
          owner: kind === "posix" ? value.owner_ref || table : undefined,
          pid,
          fd: fields.fd_descriptor,
          start: value.fl_start,
          length: value.fl_end === OFFSET_MAX ? 0n : value.fl_end - value.fl_start + 1n,
          file,
          origin: reader.origin(index),
        });
      }
    }
  return locks;
}
