import { textToBytes } from "../../io/text.js";
import type { ChangeLog } from "./change-log.js";
import { editText, type Mention } from "./plan.js";

/** Each old text is told at most so many times; the count goes on. */
const MAX_MENTIONS = 1000;

/** Pages of a task or a shared segment, and in which image they are. */
export interface StoredMemory extends Pick<Mention, "image" | "pid" | "shmid"> {
  /** What follows in memory begins with the last `overlap` bytes of what was before. */
  chunks(overlap: number): Iterable<{ readonly address: bigint; readonly bytes: Buffer }>;
}

/** Searches the stored memory for the texts that edits have replaced. Memory use stays at a window. */
export function searchMemory(
  log: ChangeLog,
  { bytes: total, all }: { readonly bytes: number; readonly all: Iterable<StoredMemory> },
  onProgress?: (done: number, total: number) => void,
): Mention[] {
  const search = new MentionSearch(log);
  if (search.isEmpty) return [];
  let done = 0;
  for (const memory of all) {
    let seenTo = -1n;
    for (const { address, bytes } of memory.chunks(search.overlap)) {
      search.look(memory, address, bytes, seenTo);
      seenTo = address + BigInt(bytes.length);
      done += bytes.length;
      onProgress?.(done, total);
    }
  }
  return search.finish();
}

/** Looks for the texts that edits have replaced in pieces of memory. */
class MentionSearch {
  readonly #log: ChangeLog;
  readonly #mentions: Mention[] = [];
  readonly #needles: {
    readonly text: string;
    readonly edit: string;
    readonly bytes: Buffer;
    found: number;
  }[];

  constructor(log: ChangeLog) {
    this.#log = log;
    this.#needles = [...log.replaced].map(([text, edit]) => ({
      text,
      edit: editText(edit),
      bytes: textToBytes(text),
      found: 0,
    }));
  }

  get isEmpty(): boolean {
    return this.#needles.length === 0;
  }

  /** Bytes that neighbouring pieces have to share, so that a text across their border is found. */
  get overlap(): number {
    return Math.max(...this.#needles.map(({ bytes }) => bytes.length)) - 1;
  }

  /** `seenTo`: where the piece before ended; what ends there or earlier was told with it. */
  look({ image, pid, shmid }: StoredMemory, address: bigint, bytes: Buffer, seenTo: bigint): void {
    for (const needle of this.#needles)
      for (let at = bytes.indexOf(needle.bytes); at !== -1; at = bytes.indexOf(needle.bytes, at + 1)) {
        const end = address + BigInt(at + needle.bytes.length);
        if (end <= seenTo) continue;
        if (needle.found++ >= MAX_MENTIONS) continue;
        const { edit, text } = needle;
        this.#mentions.push({ edit, text, image, pid, shmid, address: address + BigInt(at) });
      }
  }

  /** What was found; texts that stand in more places than are listed are noted. */
  finish(): Mention[] {
    for (const { text, found } of this.#needles)
      if (found > MAX_MENTIONS)
        this.#log.notes.add(
          `${text} stands ${found} times in memory; the first ${MAX_MENTIONS} places are listed`,
        );
    return this.#mentions;
  }
}
