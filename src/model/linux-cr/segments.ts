import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { VMA_TYPE } from "../../formats/linux-cr/tables/memory.js";
import { lazy } from "../lazy.js";
import type { StreamReader } from "./reader.js";
import { SavedPages } from "./saved-pages.js";

/** Memory that mappings share, by the hidden number of its inode: shared anonymous, System V, memfd. */
export class Segments {
  readonly #parts: () => ReadonlyMap<number, Part>;
  readonly #pages = new Map<number, SavedPages>();

  constructor(readonly reader: StreamReader) {
    this.#parts = lazy(() => partsWithPages(reader));
  }

  /** Undefined when the image has no pages for that number. Errors: FormatError. */
  pages(objref: number): SavedPages | undefined {
    const part = this.#parts().get(objref);
    if (part === undefined) return undefined;
    let pages = this.#pages.get(objref);
    if (pages === undefined) {
      pages = new SavedPages(this.reader, part, "indexes");
      this.#pages.set(objref, pages);
    }
    return pages;
  }

  /** The numbers of all segments with pages in the image. */
  all(): Iterable<number> {
    return this.#parts().keys();
  }

  /** Id of the System V segment with that inode; undefined when it is none. */
  idOf(objref: number): number | undefined {
    const part = this.#parts().get(objref);
    return part?.rule === "shm" ? this.reader.get(part, RECORDS.IPC_SHM).value.perms.id : undefined;
  }

  /** The number of a memfd's inode by that of its open file; undefined for other files. */
  ofMemfd(file: number): number | undefined {
    const part = this.reader.object(file, "FILE");
    return part === undefined ? undefined : this.reader.find(part, RECORDS.MEMFD)?.value.inode_objref;
  }
}

/** Whether the pages beside a VMA are those of the segment that it shows. */
export function sharesPages({ vma_type }: RecordValue<typeof RECORDS.VMA>): boolean {
  return vma_type === VMA_TYPE.sharedAnonymous || vma_type === VMA_TYPE.sharedAnonymousAgain;
}

/** The part that first names an inode brings its pages. */
function partsWithPages(reader: StreamReader): Map<number, Part> {
  const parts = new Map<number, Part>();
  const add = (objref: number, part: Part): void => {
    if (!parts.has(objref)) parts.set(objref, part);
  };
  for (const mm of reader.objects("MM"))
    for (const part of mm.parts) {
      const vma = reader.get(part, RECORDS.VMA).value;
      if (vma.vma_type === VMA_TYPE.sharedAnonymous) add(vma.ino_objref, part);
    }
  for (const namespace of reader.objects("IPC_NS"))
    for (const part of namespace.parts.flatMap((list) => list.parts))
      if (part.rule === "shm") add(reader.get(part, RECORDS.IPC_SHM).value.objref, part);
  for (const part of reader.objects("FILE")) {
    const memfd = reader.find(part, RECORDS.MEMFD)?.value;
    if (memfd !== undefined) add(memfd.inode_objref, part);
  }
  return parts;
}
