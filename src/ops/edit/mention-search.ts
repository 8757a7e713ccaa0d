import { textToBytes } from "../../io/text.js";
import type { StoredMemory } from "../../model/memory.js";
import type { ChangeLog } from "./change-log.js";
import { editText, type Mention } from "./plan.js";

/** Each old text is told at most so many times; the count goes on. */
const MAX_MENTIONS = 1000;

/** Searches the stored memory for the texts that edits have replaced. Memory use stays at a window. */
export function searchMemory(
  log: ChangeLog,
  { bytes: total, all }: { readonly bytes: number; readonly all: Iterable<StoredMemory> },
  onProgress?: (done: number, total: number) => void,
): Mention[] {
  const search = new MentionSearch(log);
  if (search.isEmpty) return [];
  let done = 0;
  for (const { pid, segment: shmid, pages } of all) {
    const stored = pages();
    let tail: Buffer = Buffer.alloc(0);
    let seenTo = -1n;
    for (const { address, bytes: fresh } of stored.pieces()) {
      if (fresh === undefined) continue;
      const bytes = address === seenTo ? Buffer.concat([tail, fresh]) : fresh;
      const before = bytes.length - fresh.length;
      search.look({ image: stored.image, pid, shmid }, address - BigInt(before), bytes, seenTo);
      tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - search.overlap)));
      seenTo = address + BigInt(fresh.length);
      done += fresh.length;
      onProgress?.(done, total);
    }
  }
  return search.finish();
}

type Where = Pick<Mention, "image" | "pid" | "shmid">;

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
  look({ image, pid, shmid }: Where, address: bigint, bytes: Buffer, seenTo: bigint): void {
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
