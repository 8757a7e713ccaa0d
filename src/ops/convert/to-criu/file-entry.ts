import { IMAGES } from "../../../formats/criu/images.js";
import { FD_TYPES, FILE_ENTRY, type FileEntry } from "../../../formats/criu/tables/fdinfo.js";
import type { ToCriu } from "./context.js";

/** Nobody gets signals of a file. */
export const NO_OWNER = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 } as const;

/** Adds an open file to files.img: `member` has what its type has, under the name of that type in file_entry. */
export function addFile(context: ToCriu, type: string, id: number, member: Partial<FileEntry>): void {
  context.fileTypes.set(id, type);
  const number = FD_TYPES.values.get(type) as number;
  context.set.add(IMAGES.FILES, undefined, FILE_ENTRY, { ...member, type: number, id });
}

/** Adds a directory or another path that no descriptor stands for; gives its id. `mode` is its st_mode, 0 if not known. */
export function addPath(context: ToCriu, name: string, mode = 0): number {
  const id = context.newFileId();
  const known = mode === 0 ? {} : { mode };
  const reg = { id, flags: 0, pos: 0n, fown: NO_OWNER, name, ...known, build_id: [] };
  addFile(context, "REG", id, { reg });
  return id;
}
