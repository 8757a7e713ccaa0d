import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { MemfdFileEntry, MemfdInodeEntry } from "../../../formats/criu/tables/memfd.js";
import { lazy } from "../../../model/lazy.js";
import type { SourceFiles } from "./source-files.js";

/** Since criu 3.14 shared anonymous memory is stored as a memory file of this name. */
const SHARED_ANONYMOUS = "/dev/zero";

/** What mappings show, by the ids that they have for it. Nothing is read before it is asked for. */
export class MappedObjects {
  readonly #ends = lazy(() => this.#segmentEnds());

  constructor(
    readonly set: CriuImageSet,
    readonly files: SourceFiles,
  ) {}

  /** What the memfd of an id opens. */
  memory(id: number): MemfdInodeEntry | undefined {
    const file = this.files.all.get(id, "MEMFD")?.record as MemfdFileEntry | undefined;
    return file && this.files.memory(file.inode_id);
  }

  /** Bytes of a segment of System V, or of shared anonymous memory of old sets: as far as it is mapped. */
  segmentSize(shmid: number): bigint {
    return this.#ends().get(shmid) ?? 0n;
  }

  #segmentEnds(): Map<number, bigint> {
    const ends = new Map<number, bigint>();
    for (const pid of this.set.ids(IMAGES.MM))
      for (const { start, end, pgoff, shmid } of this.set.first(IMAGES.MM, pid)?.vmas ?? []) {
        const last = pgoff + end - start;
        if (last > (ends.get(Number(shmid)) ?? 0n)) ends.set(Number(shmid), last);
      }
    for (const ns of this.set.ids(IMAGES.IPCNS_SHM))
      for (const { value } of this.set.records(IMAGES.IPCNS_SHM, ns)) ends.set(value.desc.id, value.size);
    return ends;
  }
}

/** Whether memory without a name is behind the memory file. */
export function isSharedAnonymous({ name, hugetlb_flag }: MemfdInodeEntry): boolean {
  return name === SHARED_ANONYMOUS && !hugetlb_flag;
}
