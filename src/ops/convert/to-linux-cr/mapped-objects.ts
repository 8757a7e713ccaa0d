import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { MemfdInodeEntry } from "../../../formats/criu/tables/memfd.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import { lazy } from "../../../model/lazy.js";

/** Since criu 3.14 shared anonymous memory is stored as a memory file of this name. */
const SHARED_ANONYMOUS = "/dev/zero";

/** What mappings show, by the ids that they have for it. Nothing is read before it is asked for. */
export class MappedObjects {
  readonly #regular = lazy(() => this.#regularFiles());
  readonly #memories = lazy(() => this.#memoryFiles());
  readonly #ends = lazy(() => this.#segmentEnds());

  constructor(readonly set: CriuImageSet) {}

  /** The regular file of an id. */
  regular(id: number): RegFileEntry | undefined {
    return this.#regular().get(id);
  }

  /** What the memfd of an id opens. */
  memory(id: number): MemfdInodeEntry | undefined {
    return this.#memories().get(id);
  }

  /** Bytes of a segment of System V, or of shared anonymous memory of old sets: as far as it is mapped. */
  segmentSize(shmid: number): bigint {
    return this.#ends().get(shmid) ?? 0n;
  }

  #regularFiles(): Map<number, RegFileEntry> {
    const { set } = this;
    const old = set.records(IMAGES.REG_FILES).map(({ value }) => [value.id, value] as const);
    const files = set.records(IMAGES.FILES).flatMap(({ value: { reg } }) => (reg === undefined ? [] : [reg]));
    return new Map([...old, ...files.map((reg) => [reg.id, reg] as const)]);
  }

  #memoryFiles(): Map<number, MemfdInodeEntry> {
    const inodes = new Map(
      this.set.records(IMAGES.MEMFD_INODE).map(({ value }) => [Number(value.inode_id), value]),
    );
    return new Map(
      this.set.records(IMAGES.FILES).flatMap(({ value: { memfd } }) => {
        const inode = memfd && inodes.get(memfd.inode_id);
        return memfd === undefined || inode === undefined ? [] : [[memfd.id, inode] as const];
      }),
    );
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
