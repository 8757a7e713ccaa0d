import os from "node:os";
import {
  encodeClocks,
  encodeExtensions,
  encodeHead,
  encodeTree,
  idsOf,
} from "../../../model/linux-cr/head.js";
import { writeSeccompFilters } from "../seccomp/capture.js";
import type { ProcessState } from "../tasks/capture.js";
import type { TaskRow } from "../tasks/freeze.js";
import type { CheckpointContext } from "./context.js";

/** The clocks when the checkpoint began, in nanoseconds. */
export interface Start {
  readonly realtime: bigint;
  readonly monotonic: bigint;
  readonly boottime: bigint;
}

/** HEADER up to the last record before the first task. */
export function writeHead(context: CheckpointContext, rows: readonly TaskRow[], start: Start): void {
  const { writer, processes } = context;
  writer.records(
    encodeHead({
      ...{ release: os.release(), version: os.version(), machine: os.machine() },
      auxvEntries: longestAuxv([...processes.values()]),
      securityModule: undefined,
      realtime: start.realtime,
    }),
  );
  writeTree(context, rows);
  const { realtime, ...own } = start;
  writer.records([encodeExtensions("checkpoint"), encodeClocks({ realtime, own, isNamespace: false })]);
  context.filters = writeSeccompFilters(
    writer,
    [...processes.values()].flatMap(({ threads }) => threads),
  );
}

/** Entries of the longest auxiliary vector, its end included. */
function longestAuxv(processes: readonly ProcessState[]): number {
  return Math.max(0, ...processes.map(({ auxv }) => auxv.length / 8));
}

function writeTree(context: CheckpointContext, tasks: readonly TaskRow[]): void {
  const { writer } = context;
  const root = tasks[0]?.stat.pid;
  const rows = tasks.map(({ tid, stat: { pid, ppid, pgid, sid } }) => ({
    ...{ tid, pid, pgid, sid },
    ppid: pid === root ? 0 : ppid,
  }));
  const ids = idsOf(rows);
  const offset = writer.numbers(ids.length);
  context.setTags(offset, ids);
  writer.records(encodeTree(rows, ids, offset, (id) => context.tag(id)));
}
