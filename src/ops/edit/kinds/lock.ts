import { IMAGES } from "../../../formats/criu/images.js";
import type { FileLockEntry } from "../../../formats/criu/tables/file-lock.js";
import { LOCK_LEASE } from "../../../formats/criu/tables/file-lock.js";
import { UsageError } from "../../../io/errors.js";
import { LOCK_MAND } from "../../../linux/locks.js";
import { type DescriptorName, parseDescriptorName } from "../descriptors.js";
import type { EditKind } from "../kind.js";

const TYPES: Readonly<Record<string, number>> = { read: 0, shared: 0, write: 1, exclusive: 1 };

export interface LockEdit {
  readonly name: DescriptorName;
  /** Bytes of the lock that is meant; undefined for all of the descriptor. */
  readonly range: { readonly start: bigint; readonly length: bigint } | undefined;
  /** Undefined: drop it. */
  readonly type: number | undefined;
}

/** `--lock PID:FD[:START-END]=read|write|drop`. */
export const lock: EditKind<LockEdit> = {
  name: "lock",
  syntax: "PID:FD[:START-END]=read|write|drop",
  summary: "change or drop a file lock; the range is that of /proc/locks, as 0-99 or 100-EOF",
  parse: parseLockEdit,
  lookedFor: ({ name, range }) =>
    `descriptor ${name.fd} of task ${name.pid} has no such lock${range ? " with exactly this range" : ""}`,
  plan(edits, draft) {
    const image = draft.set.image(IMAGES.FILE_LOCKS);
    for (const { edit, args } of edits)
      for (const record of image?.records() ?? []) {
        if (image === undefined || draft.isDropped(image, record) || !isMeant(record.value, args)) continue;
        if (args.type === undefined) draft.drop(edit, image, record);
        else if ((record.value.type & LOCK_MAND) !== 0)
          draft.leave(edit, {
            image: image.fileName,
            record: record.index,
            field: "type",
            value: record.value.type,
            why: "a mandatory flock, which is neither read nor write",
          });
        else draft.change(edit, image, record, ["type"], args.type);
      }
  },
};

function parseLockEdit(text: string): LockEdit {
  const [, name, start, end, word = ""] = /^(\d+:\d+)(?::(\d+)-(\d+|EOF))?=(\w+)$/.exec(text) ?? [];
  if (name === undefined || (word !== "drop" && TYPES[word] === undefined))
    throw new UsageError(`${JSON.stringify(text)} is not PID:FD[:START-END]=read, write or drop`);
  const type = TYPES[word];
  if (start === undefined) return { name: parseDescriptorName(name), range: undefined, type };
  const length = end === "EOF" ? 0n : BigInt(end as string) - BigInt(start) + 1n;
  if (end !== "EOF" && length < 1n) throw new UsageError(`the range ${start}-${end} ends before it starts`);
  return { name: parseDescriptorName(name), range: { start: BigInt(start), length }, type };
}

function isMeant(entry: FileLockEntry, { name, range }: LockEdit): boolean {
  if (entry.flag === LOCK_LEASE || entry.pid !== name.pid || entry.fd !== name.fd) return false;
  return range === undefined || (entry.start === range.start && entry.len === range.length);
}
