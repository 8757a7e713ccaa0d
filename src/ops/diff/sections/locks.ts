import type { Lock } from "../../../model/checkpoint.js";
import type { Section } from "../section.js";

export const LOCKS: Section = {
  name: "locks",
  *items(side) {
    for (const lock of side.document.checkpoint.locks) {
      const holder = `${side.taskKey(lock.pid)}:${lock.fd}`;
      yield {
        key: `${lock.kind} ${holder} ${lock.start} ${lock.length}`,
        alias: `${lock.kind} ${holder}`,
        label: `${lock.kind} ${lock.pid}:${lock.fd}`,
        fields: {
          type: lock.type,
          breaking: lock.breaking,
          range: lockRange(lock),
          file: side.fileName(lock.file),
        },
      };
    }
  },
};

/** First and last byte, `EOF` for a range without end; leases and flocks have none. */
function lockRange(lock: Lock): string | undefined {
  if (lock.kind === "lease" || lock.kind === "flock") return undefined;
  return `${lock.start}-${lock.length === 0n ? "EOF" : lock.start + lock.length - 1n}`;
}
