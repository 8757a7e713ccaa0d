import { OFFSET_MAX } from "../../../linux/files.js";
import { coversWholeFile, type Lock } from "../../../model/lock.js";
import type { Section, Side } from "../section.js";

export const LOCKS: Section = {
  name: "locks",
  *items(side) {
    for (const lock of side.document.checkpoint.locks) {
      const file = side.fileName(lock.file);
      const holder = holderOf(side, lock);
      yield {
        key: `${lock.kind} ${holder} ${file} ${lock.start} ${lock.end}`,
        alias: `${lock.kind} ${holder} ${file}`,
        label: `${lock.kind} ${lock.pid}:${lock.fd}`,
        fields: {
          type: lock.type,
          breaking: lock.breaking,
          ...(lock.breaking ? { was: lock.previous } : {}),
          remaining: lock.remaining,
          range: lockRange(lock),
          file,
        },
        // CRIU stores the target type of a breaking lease, but neither its previous type nor its break time.
        unstated: lock.breaking && lock.remaining === undefined ? ["was", "remaining"] : undefined,
      };
    }
  },
};

/** A POSIX lock is held by the task, through any descriptor; other locks by the open file. */
function holderOf(side: Side, lock: Lock): string {
  const task = side.taskKey(lock.pid);
  if (lock.kind === "posix") return task;
  return (lock.file && side.holder(lock.file)) ?? `${task}:${lock.fd}`;
}

/** First and last byte, `EOF` for a range without end; leases and flocks have none. */
function lockRange(lock: Lock): string | undefined {
  if (coversWholeFile(lock)) return undefined;
  return `${lock.start}-${lock.end === OFFSET_MAX ? "EOF" : lock.end}`;
}
