import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FMODE_LSEEK } from "../../../linux/files.js";
import { remapDeleted } from "./deleted-files.js";
import { addFile } from "./file-entry.js";
import { type Identity, identityOf, type StreamFile } from "./stream-file.js";

/** reg_file_entry.pos: a restore does not seek. */
const NO_POSITION = (1n << 64n) - 1n;

/** A file, directory or device with a path. */
export function regularFile(file: StreamFile): void {
  const canSeek = (file.value.f_mode & FMODE_LSEEK) !== 0;
  addNode(file, file.id, { pos: canSeek ? file.value.f_pos : NO_POSITION });
}

/** The entry with the path of a fifo or terminal, which `regf_id` names; gives its id. */
export function addNode(
  file: StreamFile,
  id: number,
  { name = pathOf(file), pos = 0n }: { readonly name?: string; readonly pos?: bigint } = {},
): number {
  const identity = identityOf(file);
  const reg: RegFileEntry = {
    id,
    flags: file.value.f_flags,
    pos,
    fown: file.owner,
    name,
    ...sizeAndMode(identity),
    build_id: [...identity.buildId],
  };
  addFile(file.context, "REG", id, { reg });
  remapDeleted(file, id, identity);
  return id;
}

/** What a restore compares with the file that it finds. */
function sizeAndMode({ size, mode }: Identity): Pick<RegFileEntry, "size" | "mode"> {
  return { ...(size === undefined ? {} : { size }), ...(mode === undefined ? {} : { mode }) };
}

function pathOf({ context: { reader }, part }: StreamFile): string {
  return reader.text(part, RECORDS.FILE_NAME) ?? "/";
}
