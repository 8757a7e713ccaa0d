import { UsageError } from "../../../io/errors.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import { type Lock, typedLockName } from "../../../model/lock.js";
import { type DescriptorName, parseDescriptorName } from "../held-files.js";
import type { EditKind } from "../kind.js";

const TYPES = { read: "read", shared: "read", write: "write", exclusive: "write", drop: undefined } as const;

interface LockEdit {
  readonly name: DescriptorName;
  /** First and last byte of the lock that is meant; undefined for all of the descriptor. */
  readonly range: { readonly start: bigint; readonly end: bigint } | undefined;
  /** Undefined: drop it. */
  readonly type: "read" | "write" | undefined;
}

/** `--lock PID:FD[:START-END]=read|write|drop`. */
export const lock: EditKind<LockEdit> = {
  name: "lock",
  syntax: "PID:FD[:START-END]=read|write|drop",
  summary: "change or drop a file lock; the range is that of /proc/locks, as 0-99 or 100-EOF",
  parse: parseLockEdit,
  lookedFor: ({ name, range }) =>
    `descriptor ${name.fd} of task ${name.pid} has no such lock${range ? " with exactly this range" : ""}`,
  plan(edits, editor) {
    for (const { edit, args } of edits)
      for (const each of editor.locksOf(args.name)) {
        if (each.kind === "lease" || !covers(each, args)) continue;
        if (args.type === undefined) editor.dropObject(edit, each);
        else if (`${each.type}`.startsWith("mandatory"))
          editor.leave(edit, {
            image: editor.imageOf(each.origin),
            record: each.origin.record,
            field: "type",
            value: each.type,
            why: "a mandatory flock, which is neither read nor write",
          });
        else editor.changeObject(edit, "lock", each, { type: args.type }, typedLockName);
      }
  },
};

function parseLockEdit(text: string): LockEdit {
  const [, name, start, end, word = ""] = /^(\d+:\d+)(?::(\d+)-(\d+|EOF))?=(\w+)$/.exec(text) ?? [];
  if (name === undefined || !Object.hasOwn(TYPES, word))
    throw new UsageError(`invalid ${JSON.stringify(text)} (expected PID:FD[:START-END]=read, write or drop)`);
  const type = TYPES[word as keyof typeof TYPES];
  if (start === undefined) return { name: parseDescriptorName(name), range: undefined, type };
  const range = { start: BigInt(start), end: end === "EOF" ? OFFSET_MAX : BigInt(end as string) };
  if (range.end < range.start) throw new UsageError(`invalid range ${start}-${end} (expected START <= END)`);
  return { name: parseDescriptorName(name), range, type };
}

function covers({ start, end }: Lock, { range }: LockEdit): boolean {
  return range === undefined || (start === range.start && end === range.end);
}
