import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import { F_INPROGRESS } from "../../../linux/locks.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { type ImageLock, KINDS } from "../locks/image.js";

/** One FILE of the image. */
export interface OpenFileRecord {
  readonly part: Part;
  readonly objref: number;
  readonly value: RecordValue<typeof RECORDS.FILE>;
  readonly path: string | undefined;
}

/** One descriptor of a table. */
export interface ImageDescriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly objref: number;
  readonly locks: readonly ImageLock[];
}

export interface ImageFs {
  readonly umask: number;
  readonly cwd: string;
  readonly root: string;
  /** FILE that is the working directory when its name was gone, 0 for none. */
  readonly cwdFile: number;
}

export function descriptorsOf(reader: StreamReader, objref: number): ImageDescriptor[] {
  const table = reader.object(objref, "FILE_TABLE");
  if (table === undefined) throw reader.image.error(0, `there is no FILE_TABLE ${objref}`);
  return table.parts
    .filter(({ rule }) => rule === "descriptor")
    .map((part) => {
      const { value } = reader.get(part, RECORDS.FILE_DESC);
      const locks = part.parts
        .filter(({ rule }) => rule === "lock")
        .map((lock): ImageLock => {
          const { value: stored } = reader.get(lock, RECORDS.FILE_LOCK);
          return {
            kind: KINDS[stored.fl_flags] ?? "posix",
            type: stored.fl_type & ~F_INPROGRESS,
            held: stored.fl_type_prev & ~F_INPROGRESS,
            isBreaking: (stored.fl_type & F_INPROGRESS) !== 0,
            start: stored.fl_start,
            length: stored.fl_end === OFFSET_MAX ? 0n : stored.fl_end - stored.fl_start + 1n,
            remaining: stored.fl_rem_lease,
          };
        });
      return {
        fd: value.fd_descriptor,
        closeOnExec: value.fd_close_on_exec !== 0,
        objref: value.fd_objref,
        locks,
      };
    })
    .sort((a, b) => a.fd - b.fd);
}
