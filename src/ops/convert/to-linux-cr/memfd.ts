import type { MemfdFileEntry, MemfdInodeEntry } from "../../../formats/criu/tables/memfd.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Context } from "./context.js";
import { writeFileRecord, writeOwner } from "./file-parts.js";
import { segmentPages } from "./pages.js";

/** A memory file; its pages stand with the first file of each memory. */
export function writeMemfd(context: Context, file: OpenFile, objref: number): void {
  const { flags, pos, fown, inode_id: inodeId } = file.record as MemfdFileEntry;
  const memory = context.files.memory(inodeId) as MemfdInodeEntry;
  const inode = context.hidden("INODE", `memfd ${inodeId}`);
  writeFileRecord(context, FILE_TYPE.memfd, { flags, position: pos });
  writeOwner(context, file, objref, fown, flags);
  context.writer.record(
    RECORDS.MEMFD,
    {
      inode_objref: inode.objref,
      seals: memory.seals,
      mode: memory.mode ?? 0,
      uid: memory.uid,
      gid: memory.gid,
      flags: memory.hugetlb_flag ?? 0,
      size: memory.size,
    },
    textPayload(RECORDS.MEMFD, memory.name),
  );
  if (!inode.isNew) return;
  context.writer.pages(segmentPages(context, memory.shmid, memory.size), 1n);
}
