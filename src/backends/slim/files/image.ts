import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import type { RECORDS } from "../../../formats/linux-cr/records.js";
import { linuxCrDescriptors } from "../../../model/linux-cr/descriptors.js";
import { storedLocksOf } from "../../../model/linux-cr/locks.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { Lock } from "../../../model/lock.js";
import type { FileTable } from "../../../model/open-file.js";

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
  readonly locks: readonly Lock[];
}

/** The descriptors of a FILE_TABLE in ascending order, each with the locks behind it. Errors: FormatError without one. */
export function descriptorsOf(reader: StreamReader, objref: number, files: FileTable): ImageDescriptor[] {
  const table = linuxCrDescriptors(reader, objref, () => files);
  if (table === undefined) throw reader.image.error(0, `there is no FILE_TABLE ${objref}`);
  const locks = new Map<number, Lock[]>();
  for (const lock of storedLocksOf(reader, { table: objref, pid: 0 }, files)) {
    const known = locks.get(lock.fd);
    if (known === undefined) locks.set(lock.fd, [lock]);
    else known.push(lock);
  }
  return table.descriptors
    .map(({ fd, closeOnExec, fileId }) => ({ fd, closeOnExec, objref: fileId, locks: locks.get(fd) ?? [] }))
    .sort((a, b) => a.fd - b.fd);
}
