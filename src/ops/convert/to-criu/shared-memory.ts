import { IMAGES } from "../../../formats/criu/images.js";
import { MEMFD_INODE_ENTRY } from "../../../formats/criu/tables/memfd.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { isWithin } from "../../../io/domains.js";
import { SEALS } from "../../../linux/files.js";
import { NO_OWNER } from "../../../model/criu/files.js";
import { encodeMemfd } from "../../../model/criu/special-files.js";
import type { Memfd } from "../../../model/special-file.js";
import type { ToCriu } from "./context.js";
import { PageRuns, writePages } from "./pages.js";
import { addFile } from "./stream-file.js";

/** F_SEAL_SEAL: shared anonymous memory cannot be sealed. */
const SEALED = 1;
const EVERYBODY = 0o100777;

/**
 * The inode_id of a memory file, whose inode and contents are written at the first call with pages. `objref` is the
 * hidden number of the inode; `part` has its pages, keyed by page index.
 */
export function memoryFile(context: ToCriu, objref: number, file: Memfd, part: Part): number {
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
  set.add(IMAGES.MEMFD_INODE, undefined, MEMFD_INODE_ENTRY, encodeMemfd(file, id));
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
    {
      ...({ kind: "memfd", name: "/dev/zero", uid: 0, gid: 0, size } as const),
      ...{ seals: SEALED, mode: EVERYBODY, hugePages: 0 },
    },
    part,
  );
  if (context.isFirst("shared anonymous memory", objref))
    addFile(context, "MEMFD", id, {
      memfd: { id, flags: 0, pos: 0n, fown: NO_OWNER, inode_id: inode },
    });
  return id;
}
