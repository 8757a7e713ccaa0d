import { shellCommand } from "../../io/shell.js";
import type { Splice } from "../../io/splice.js";
import type { DueTime } from "./due.js";
import type { NewFile } from "./new-file.js";

/** One edit as it was given: the kind's name and the text behind it, `remap-path` and `/srv/a=/srv/b`. */
export interface Edit {
  readonly kind: string;
  readonly text: string;
}

/** One thing that an edit changes. */
export interface Change {
  /** The edit as a person would type it. */
  readonly edit: string;
  readonly image: string;
  /** Record of the image, counted as in the image before; undefined for bytes of a raw image. */
  readonly record: number | undefined;
  /** Field as in `reg.name`; empty for a whole record; `0x1f40` for bytes at an offset. */
  readonly field: string;
  /** As a person reads it (addresses and socket names as text). Undefined: it was not there. */
  readonly before: unknown;
  /** Undefined: it is taken away. */
  readonly after: unknown;
  /** Both as `crimg show record` has them, if numbers are not: names of flags, modes in octal. */
  readonly beforeText?: string | undefined;
  readonly afterText?: string | undefined;
}

/** Something that looks like what an edit changes, and was left as it is. */
export interface Left {
  readonly edit: string;
  readonly image: string;
  readonly record: number | undefined;
  readonly field: string;
  readonly value: unknown;
  readonly why: string;
}

/** Where an old value still stands in memory pages; edits never touch it there. */
export interface Mention {
  readonly edit: string;
  readonly text: string;
  /** The pages image. */
  readonly image: string;
  /** Task whose private memory it is; undefined for a shared segment. */
  readonly pid: number | undefined;
  readonly shmid: number | undefined;
  /** In the task, or from the start of the shared segment. */
  readonly address: bigint;
}

/** What edits would do to an image. Nothing has been written. */
export interface Plan {
  /** Path of the set or stream as the user knows it. */
  readonly set: string;
  readonly edits: readonly Edit[];
  /** False with an edit that is a secret: the log then keeps no value, neither old nor new. */
  readonly undoable: boolean;
  readonly changes: readonly Change[];
  readonly left: readonly Left[];
  /** What a person should know or still has to do. */
  readonly notes: readonly string[];
  /** What may go wrong after a restore. */
  readonly warnings: readonly string[];
  /** Edits that found nothing, each as a sentence that says what was looked for. */
  readonly unmatched: readonly string[];
  /** Filled when the memory was scanned. */
  readonly mentions: readonly Mention[] | undefined;
  /** Times that were changed, and when they fall due. */
  readonly due: readonly DueTime[];
  /** Files outside of the image that are written with it. */
  readonly newFiles: readonly NewFile[];
  /** What the images cannot hold and the restore has to do. */
  readonly restore: RestoreWishes;
  /** The bytes to change by file. */
  readonly splices: ReadonlyMap<string, readonly Splice[]>;
}

/** Left to the restore because no image has a place for it. */
export interface RestoreWishes {
  /** Seconds that holders of breaking leases get: /proc/sys/fs/lease-break-time while criu breaks them again. */
  leaseBreakSeconds?: number;
}

export interface PlanOptions {
  /** Directory that stands for `/` when files are looked at. */
  readonly root?: string | undefined;
  /** Search the memory pages for old values. */
  readonly scanMemory?: boolean | undefined;
  /** Nanoseconds that the restart takes, for the moments at which times fall due. */
  readonly restartTakes?: bigint | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const texts = new WeakMap<Edit, string>();

/** An edit as a person would type it: `--remap-path /srv/a=/srv/b`. */
export function editText(edit: Edit): string {
  const known = texts.get(edit);
  if (known !== undefined) return known;
  const text = edit.kind === "policy" ? `policy ${edit.text}` : shellCommand([`--${edit.kind}`, edit.text]);
  texts.set(edit, text);
  return text;
}
