import path from "node:path";
import { IMAGES } from "../../formats/criu/images.js";
import { pageStores } from "../../formats/criu/pages.js";
import type { Draft } from "./draft.js";
import { MentionSearch } from "./mention-search.js";
import type { Mention } from "./plan.js";

/** Searches the stored memory for the texts that edits have replaced. Memory use stays at a window. */
export function scanMemory(draft: Draft, onProgress?: (done: number, total: number) => void): Mention[] {
  const search = new MentionSearch(draft);
  if (search.isEmpty) return [];
  const total = pagesBytes(draft);
  let done = 0;
  for (const store of pageStores(draft.set)) {
    const isTask = store.kind === IMAGES.PAGEMAP;
    const memory = {
      image: path.basename(store.fileOf(0)),
      pid: isTask ? store.id : undefined,
      shmid: isTask ? undefined : store.id,
    };
    let seenTo = -1n;
    for (const { address, bytes } of store.chunks(search.overlap)) {
      search.look(memory, address, bytes, seenTo);
      seenTo = address + BigInt(bytes.length);
      done += bytes.length;
      onProgress?.(done, total);
    }
  }
  return search.finish();
}

/** What there is to search, about: compressed pages and parents make it more. */
function pagesBytes(draft: Draft): number {
  let total = 0;
  for (const { name, kind } of draft.set.files)
    if (kind === IMAGES.PAGES) total += draft.files.open(name)?.size ?? 0;
  return total;
}
