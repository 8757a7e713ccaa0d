import type { Part } from "../../formats/linux-cr/part.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { NewRecord } from "../../formats/linux-cr/stream-writer.js";
import { textPayload } from "../../formats/linux-cr/write.js";
import type { StreamReader } from "./reader.js";

/** A working or root directory as a stream stores it. */
export interface StoredDirectory {
  readonly path: string;
  /** The FILE of a directory whose name was gone; 0 for one with a name. */
  readonly objref: number;
  /** st_mode; 0 if it is not stored. */
  readonly mode: number;
}

/** What an FS object holds. */
export interface StoredDirectories {
  /** Headers before v21 have none. */
  readonly umask: number | undefined;
  readonly cwd: StoredDirectory;
  readonly root: StoredDirectory;
}

/** FS with its names, the working directory first, and FS_EXTRA. */
export function decodeDirectories(reader: StreamReader, part: Part): StoredDirectories {
  const extra = reader.find(part, RECORDS.FS_EXTRA)?.value;
  const directory = (nth: number, objref = 0, mode = 0): StoredDirectory => ({
    ...{ objref, mode },
    get path() {
      return reader.text(part, RECORDS.FILE_NAME, nth) ?? "/";
    },
  });
  return {
    umask: reader.find(part, RECORDS.FS)?.value.umask,
    cwd: directory(0, extra?.cwd_objref, extra?.cwd_mode),
    root: directory(1, extra?.root_objref, extra?.root_mode),
  };
}

/** The records of an FS object; FS_EXTRA only if it says something. */
export function* encodeDirectories({ umask = 0, cwd, root }: StoredDirectories): Generator<NewRecord> {
  yield { kind: RECORDS.FS, fields: { umask } };
  for (const { path } of [cwd, root])
    yield { kind: RECORDS.FILE_NAME, fields: {}, payload: textPayload(RECORDS.FILE_NAME, path) };
  const fields = {
    ...{ cwd_objref: cwd.objref, root_objref: root.objref },
    ...{ cwd_mode: cwd.mode, root_mode: root.mode },
  };
  if (Object.values(fields).some((value) => value !== 0)) yield { kind: RECORDS.FS_EXTRA, fields };
}
