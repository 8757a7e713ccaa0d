import { idOf, type RecordKind } from "./record-kind.js";
import { EXTENSIONS_RECORDS } from "./records/extensions.js";
import { FILES_RECORDS } from "./records/files.js";
import { MEMORY_RECORDS } from "./records/memory.js";
import { SOCKETS_RECORDS } from "./records/sockets.js";
import { STREAM_RECORDS } from "./records/stream.js";
import { TASKS_RECORDS } from "./records/tasks.js";
import type { Commit } from "./revisions.js";

/** All records of the header files, and the crimg extension records: one row each. */
export const RECORDS = {
  ...STREAM_RECORDS,
  ...TASKS_RECORDS,
  ...FILES_RECORDS,
  ...MEMORY_RECORDS,
  ...SOCKETS_RECORDS,
  ...EXTENSIONS_RECORDS,
} as const;

const byCommit = new Map<Commit, ReadonlyMap<number, RecordKind>>();

/** The kinds of a header set by id. crimg extension records have the same ids in all. */
export function recordKinds(commit: Commit): ReadonlyMap<number, RecordKind> {
  let kinds = byCommit.get(commit);
  if (kinds === undefined) {
    const all: readonly RecordKind[] = Object.values(RECORDS);
    kinds = new Map(
      all.flatMap((kind) => {
        const id = idOf(kind, commit);
        return id === undefined ? [] : [[id, kind] as const];
      }),
    );
    byCommit.set(commit, kinds);
  }
  return kinds;
}
