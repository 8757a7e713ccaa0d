import { textToBytes } from "../../io/text.js";
import type { Ledger } from "./ledger.js";
import { editText, type Mention } from "./plan.js";

/** Each old text is told at most so many times; the count goes on. */
const MAX_MENTIONS = 1000;

/** Whose memory is looked at, and in which image it is. */
export type SearchedMemory = Pick<Mention, "image" | "pid" | "shmid">;

/** Looks for the texts that edits have replaced in pieces of memory. */
export class MentionSearch {
  readonly #ledger: Ledger;
  readonly #mentions: Mention[] = [];
  readonly #needles: {
    readonly text: string;
    readonly edit: string;
    readonly bytes: Buffer;
    found: number;
  }[];

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#needles = [...ledger.replaced].map(([text, edit]) => ({
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
  look(memory: SearchedMemory, address: bigint, bytes: Buffer, seenTo: bigint): void {
    for (const needle of this.#needles)
      for (let at = bytes.indexOf(needle.bytes); at !== -1; at = bytes.indexOf(needle.bytes, at + 1)) {
        const end = address + BigInt(at + needle.bytes.length);
        if (end <= seenTo) continue;
        if (needle.found++ >= MAX_MENTIONS) continue;
        const { edit, text } = needle;
        this.#mentions.push({ edit, text, ...memory, address: address + BigInt(at) });
      }
  }

  /** What was found; texts that stand in more places than are listed are noted. */
  finish(): Mention[] {
    for (const { text, found } of this.#needles)
      if (found > MAX_MENTIONS)
        this.#ledger.notes.add(
          `${text} stands ${found} times in memory; the first ${MAX_MENTIONS} places are listed`,
        );
    return this.#mentions;
  }
}
