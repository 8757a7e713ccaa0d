import os from "node:os";
import { EXTENSION_VERSION } from "../../../formats/linux-cr/records/extensions.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { WRITTEN_ARCH_ID } from "../../../formats/linux-cr/stream-writer.js";
import { textToBytes } from "../../../io/text.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import { FXSAVE_BYTES } from "../../../model/x86-registers.js";
import { writeSeccompFilters } from "../seccomp/capture.js";
import type { ProcessState } from "../tasks/capture.js";
import type { TaskRow } from "../tasks/freeze.js";
import type { CheckpointContext } from "./context.js";

const MAGIC = 0x00feed0cc0a2d200n;
const CHECKPOINT_VERSION = 6;
const SUBTREE = 1n;
const UTS_BYTES = 65;
const LSM_NAME_BYTES = 11;
const WRITER_CHECKPOINT = 2;
const CLOCKS_KNOWN = 2;

/** The clocks when the checkpoint began, in nanoseconds. */
export interface Start {
  readonly realtime: bigint;
  readonly monotonic: bigint;
  readonly boottime: bigint;
}

/** HEADER up to the last record before the first task. */
export function writeHead(context: CheckpointContext, rows: readonly TaskRow[], start: Start): void {
  const { writer, processes } = context;
  const [major = 0, minor = 0, patch = 0] = os.release().split(/[.-]/).map(Number);
  writer.record(RECORDS.HEADER, {
    magic: MAGIC,
    arch_id: WRITTEN_ARCH_ID,
    major,
    minor,
    patch: Math.min(patch, 255) || 0,
    rev: CHECKPOINT_VERSION,
    constants: {
      task_comm_len: 16,
      at_vector_size: longestAuxv([...processes.values()]),
      signal_nsig: 64,
      uts_sysname_len: UTS_BYTES,
      uts_nodename_len: UTS_BYTES,
      uts_release_len: UTS_BYTES,
      uts_version_len: UTS_BYTES,
      uts_machine_len: UTS_BYTES,
      uts_domainname_len: UTS_BYTES,
      rlimit_nlimits: 16,
      n_tty_buf_size: 4096,
      tty_termios_nccs: 19,
    },
    time: start.realtime / NSEC_PER_SEC,
    uflags: SUBTREE,
  });
  for (const text of [os.release(), os.version(), os.machine()]) writer.buffer(fixed(text, UTS_BYTES));
  writer.record(RECORDS.HEADER_ARCH, { has_fxsr: 1, xstate_size: FXSAVE_BYTES });
  writer.record(RECORDS.CONTAINER);
  writer.buffer(fixed("lsm_none", LSM_NAME_BYTES));
  writer.record(RECORDS.LSM_INFO, {}, Buffer.from("dummy"));
  writeTree(context, rows);
  writer.record(RECORDS.EXTENSIONS, {
    version: EXTENSION_VERSION,
    oldest_reader: EXTENSION_VERSION,
    writer: WRITER_CHECKPOINT,
  });
  writer.record(RECORDS.CLOCKS, {
    realtime_ns: start.realtime,
    monotonic_ns: start.monotonic,
    boottime_ns: start.boottime,
    flags: CLOCKS_KNOWN,
  });
  context.filters = writeSeccompFilters(
    writer,
    [...processes.values()].flatMap(({ threads }) => threads),
  );
}

/** Text in so many bytes, zero-filled, the last one always zero. */
export function fixed(text: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  textToBytes(text).copy(bytes, 0, 0, size - 1);
  return bytes;
}

/** Entries of the longest auxiliary vector, its end included. */
function longestAuxv(processes: readonly ProcessState[]): number {
  return Math.max(0, ...processes.map(({ auxv }) => auxv.length / 8));
}

/** PIDS: all ids that the tree uses; TREE: who is who. An id of a group or session outside the tree is kept as well. */
function writeTree(context: CheckpointContext, rows: readonly TaskRow[]): void {
  const { writer } = context;
  const ids = new Set(rows.flatMap(({ tid }) => tid));
  for (const { stat } of rows) for (const id of [stat.pgid, stat.sid]) if (id > 0) ids.add(id);
  const pids = [...ids];
  const offset = writer.numbers(pids.length);
  context.setTags(offset, pids);
  writer.record(RECORDS.PIDS, { nr_pids: pids.length, offset });
  writer.buffer(s32s(pids.flatMap((pid) => [0, pid])));
  writer.record(RECORDS.TREE, { nr_tasks: rows.length });
  const root = rows[0]?.stat.pid;
  writer.buffer(
    s32s(
      rows.flatMap(({ tid, stat }) => [
        context.tag(tid),
        stat.pid === root ? 0 : context.tag(stat.ppid),
        context.tag(stat.pid),
        context.tag(stat.pgid),
        context.tag(stat.sid),
        0,
      ]),
    ),
  );
}

function s32s(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) bytes.writeInt32LE(number, i * 4);
  return bytes;
}
