import path from "node:path";
import { IMAGES } from "../../formats/criu/images.js";
import { pageStores } from "../../formats/criu/pages.js";
import { textToBytes } from "../../io/text.js";
import type { Draft } from "./draft.js";
import { editText, type Mention } from "./plan.js";

/** Each old text is told at most so many times; the count goes on. */
const MAX_MENTIONS = 1000;

/** Searches the stored memory for the texts that edits have replaced. Memory use stays at a window. */
export function scanMemory(draft: Draft, onProgress?: (done: number, total: number) => void): Mention[] {
  const needles = [...draft.replaced].map(([text, edit]) => ({
    text,
    edit: editText(edit),
    bytes: textToBytes(text),
    found: 0,
  }));
  if (needles.length === 0) return [];
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  const mentions: Mention[] = [];
  const total = pagesBytes(draft);
  let done = 0;
  for (const store of pageStores(draft.set)) {
    const image = path.basename(store.fileOf(0));
    let seenTo = -1n;
    for (const { address, bytes } of store.chunks(overlap)) {
      for (const needle of needles)
        for (let at = bytes.indexOf(needle.bytes); at !== -1; at = bytes.indexOf(needle.bytes, at + 1)) {
          // What ends inside the bytes repeated from the last piece was told with that piece.
          if (address + BigInt(at + needle.bytes.length) <= seenTo) continue;
          if (needle.found++ >= MAX_MENTIONS) continue;
          mentions.push({
            edit: needle.edit,
            text: needle.text,
            image,
            pid: store.kind === IMAGES.PAGEMAP ? store.id : undefined,
            shmid: store.kind === IMAGES.PAGEMAP ? undefined : store.id,
            address: address + BigInt(at),
          });
        }
      seenTo = address + BigInt(bytes.length);
      done += bytes.length;
      onProgress?.(done, total);
    }
  }
  for (const { text, found } of needles)
    if (found > MAX_MENTIONS)
      draft.notes.add(`${text} stands ${found} times in memory; the first ${MAX_MENTIONS} places are listed`);
  return mentions;
}

/** What there is to search, about: compressed pages and parents make it more. */
function pagesBytes(draft: Draft): number {
  let total = 0;
  for (const { name, kind } of draft.set.files)
    if (kind === IMAGES.PAGES) total += draft.files.open(name)?.size ?? 0;
  return total;
}
