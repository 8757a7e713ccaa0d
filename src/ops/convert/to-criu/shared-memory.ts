import { IMAGES } from "../../../formats/criu/images.js";
import { MEMFD_INODE_ENTRY, type MemfdInodeEntry } from "../../../formats/criu/tables/memfd.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { isWithin } from "../../../io/domains.js";
import { SEALS } from "../../../linux/files.js";
import type { ToCriu } from "./context.js";
import { addFile, NO_OWNER } from "./file-entry.js";
import { PageRuns, writePages } from "./pages.js";

/** What a memory file is besides its contents. */
export type MemoryFile = Omit<MemfdInodeEntry, "shmid" | "inode_id">;

/** F_SEAL_SEAL: shared anonymous memory cannot be sealed. */
const SEALED = 1;
const EVERYBODY = 0o100777;

/**
 * The inode_id of a memory file, whose inode and contents are written at the first call with pages. `objref` is the
 * hidden number of the inode; `part` has its pages, keyed by page index.
 */
export function memoryFile(context: ToCriu, objref: number, file: MemoryFile, part: Part): number {
  const { set, reader } = context;
  const id = context.id("INODE", objref);
  if (!context.isFirst("memory file", objref)) {
    if (!isWithin(SEALS, file.seals))
      context.losses.add(
        `memory file ${id}`,
        `the invalid seals 0x${file.seals.toString(16)}`,
        "those of the first open file of this memory count",
      );
    return id;
  }
  set.add(IMAGES.MEMFD_INODE, undefined, MEMFD_INODE_ENTRY, { ...file, shmid: id, inode_id: BigInt(id) });
  const pages = new PageRuns(reader);
  pages.add(part, "indexes");
  writePages(context, IMAGES.SHMEM_PAGEMAP, id, pages);
  return id;
}

/** File id of shared anonymous memory, which criu stores as a memory file with the name /dev/zero. */
export function sharedAnonymous(context: ToCriu, objref: number, size: bigint, part: Part): number {
  const id = context.fileId(-objref);
  const inode = memoryFile(
    context,
    objref,
    { name: "/dev/zero", uid: 0, gid: 0, size, seals: SEALED, mode: EVERYBODY },
    part,
  );
  if (context.isFirst("shared anonymous memory", objref))
    addFile(context, "MEMFD", id, {
      memfd: { id, flags: 0, pos: 0n, fown: NO_OWNER, inode_id: inode },
    });
  return id;
}
