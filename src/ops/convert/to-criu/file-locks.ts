import { IMAGES } from "../../../formats/criu/images.js";
import {
  FILE_LOCK_ENTRY,
  LEASE_BREAKING,
  LOCK_FLOCK,
  LOCK_LEASE,
  LOCK_OFD,
  LOCK_POSIX,
} from "../../../formats/criu/tables/file-lock.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { OFD_LOCK } from "../../../formats/linux-cr/tables/dialect.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import {
  F_INPROGRESS,
  F_UNLCK,
  FL_FLOCK,
  FL_LEASE,
  FL_POSIX,
  LEASE_BREAK_TIME,
} from "../../../linux/locks.js";
import type { ToCriu } from "./context.js";
import type { Descriptors, Table } from "./descriptors.js";

type FileLock = RecordValue<typeof RECORDS.FILE_LOCK>;
/** Kinds of locks by FILE_LOCK.fl_flags, as criu has them. */
const KINDS: Readonly<Record<number, number>> = {
  [FL_POSIX]: LOCK_POSIX,
  [FL_FLOCK]: LOCK_FLOCK,
  [OFD_LOCK]: LOCK_OFD,
  [FL_LEASE]: LOCK_LEASE,
};

/** Locks and leases under the first descriptor that holds them: repeats under other ones of the file are one lock. */
export function writeLocks(context: ToCriu, { tables }: Descriptors): void {
  const { reader, set } = context;
  const seen = new Set<string>();
  for (const table of tables)
    for (const descriptor of table.part.parts.filter(({ rule }) => rule === "descriptor")) {
      const { value: own } = reader.get(descriptor, RECORDS.FILE_DESC);
      for (const each of descriptor.parts) {
        const { index, value: lock } = reader.get(each, RECORDS.FILE_LOCK);
        const flag = KINDS[lock.fl_flags];
        if (flag === undefined)
          throw reader.image.error(index, `a lock of the unknown kind ${lock.fl_flags}`);
        const key = `${holderOf(context, lock, table, own.fd_objref)} ${flag} ${lock.fl_start} ${lock.fl_end}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const { pid } = table.process.ids;
        const isWhole = flag === LOCK_FLOCK || flag === LOCK_LEASE;
        set.add(IMAGES.FILE_LOCKS, undefined, FILE_LOCK_ENTRY, {
          flag,
          type: typeOf(context, lock, flag, `task ${pid} fd ${own.fd_descriptor}`),
          pid,
          fd: own.fd_descriptor,
          start: isWhole ? 0n : lock.fl_start,
          len: isWhole || lock.fl_end === OFFSET_MAX ? 0n : lock.fl_end - lock.fl_start + 1n,
        });
      }
    }
}

/** A POSIX lock belongs to a table and an inode, which its path stands for; the others to an open file. */
function holderOf({ reader }: ToCriu, lock: FileLock, table: Table, objref: number): string {
  if (lock.fl_flags !== FL_POSIX) return `file ${objref}`;
  const file = reader.object(objref, "FILE");
  const identity = file && reader.find(file, RECORDS.FILE_IDENTITY)?.value;
  const inode = identity !== undefined && (identity.flags & 2) !== 0 ? `${identity.dev}:${identity.ino}` : "";
  const path = file === undefined ? objref : (reader.text(file, RECORDS.FILE_NAME) ?? objref);
  return `table ${table.objref} ${inode || path}`;
}

function typeOf({ losses }: ToCriu, lock: FileLock, flag: number, holder: string): number {
  if ((lock.fl_type & F_INPROGRESS) === 0) return lock.fl_type;
  const target = (lock.fl_type & ~F_INPROGRESS) >>> 0;
  if (lock.fl_rem_lease !== LEASE_BREAK_TIME)
    losses.add(
      `lease of ${holder}`,
      `that ${lock.fl_rem_lease} s are left until it is taken away`,
      "a set stores no times of leases: a restore breaks it anew, and its holder gets all of lease-break-time",
    );
  return flag === LOCK_LEASE && target <= F_UNLCK ? LEASE_BREAKING | target : target;
}
