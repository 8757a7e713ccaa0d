import { RECORDS } from "../../../formats/linux-cr/records.js";
import { decodeDeleted } from "../../../model/linux-cr/deleted-files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { DeletedFile } from "../../../model/open-file.js";
import type { OpenFileRecord } from "../files/image.js";

/** A deleted file with all its FILEs. */
export interface DeletedFamily {
  /** What its FILEs have in common: the number of UNLINKED_EXTRA, or of the only FILE. */
  readonly number: number;
  readonly files: readonly OpenFileRecord[];
  /** By the first of them. */
  readonly deleted: DeletedFile;
  /** The name that keeps it, counted from a root; empty with contents. */
  readonly substitute: string;
}

/** The deleted files of an image, by each of their FILEs. Errors: FormatError for a damaged image. */
export function deletedFilesOf(
  reader: StreamReader,
  fileOf: (objref: number) => OpenFileRecord,
): ReadonlyMap<number, DeletedFamily> {
  const families = new Map<number, DeletedFamily & { files: OpenFileRecord[] }>();
  for (const part of reader.objects("FILE")) {
    const deleted = decodeDeleted(reader, part);
    if (deleted === undefined) continue;
    const { method, keptIn, ghost, origin, fileId } = deleted;
    if (typeof method === "number")
      throw reader.image.error(origin.record, `the file comes back by the unknown method ${method}`);
    const number = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value.inode_objref ?? -fileId;
    const known = families.get(number);
    if (known !== undefined) known.files.push(fileOf(fileId));
    else {
      const substitute = ghost === undefined && keptIn !== "" ? keptIn.replace(/^\/?/, "/") : "";
      families.set(number, { number, files: [fileOf(fileId)], deleted, substitute });
    }
  }
  return new Map(
    [...families.values()].flatMap((family) => family.files.map(({ objref }) => [objref, family])),
  );
}
