import path from "node:path";
import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { pageStores } from "../../../formats/criu/pages.js";
import type { StoredMemory } from "../mention-search.js";

/** The pages of tasks and shared segments. Compressed pages and parents make them more than their files hold. */
export function storedMemory(set: CriuImageSet): {
  readonly bytes: number;
  readonly all: Iterable<StoredMemory>;
} {
  let bytes = 0;
  for (const { name, kind } of set.files)
    if (kind === IMAGES.PAGES) bytes += set.fileSet.open(name)?.size ?? 0;
  return { bytes, all: memoryOf(set) };
}

function* memoryOf(set: CriuImageSet): Generator<StoredMemory> {
  for (const store of pageStores(set)) {
    const isTask = store.kind === IMAGES.PAGEMAP;
    yield {
      image: path.basename(store.fileOf(0)),
      pid: isTask ? store.id : undefined,
      shmid: isTask ? undefined : store.id,
      chunks: (overlap) => store.chunks(overlap),
    };
  }
}
