import { EXTENSION_VERSION } from "../../formats/linux-cr/records/extensions.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { type NewRecord, WRITTEN_ARCH_ID } from "../../formats/linux-cr/stream-writer.js";
import { HEAD_MAGIC, TAIL_MAGIC } from "../../formats/linux-cr/tables/head.js";
import { textToBytes } from "../../io/text.js";
import { wordBytes } from "../../io/words.js";
import { RLIM_NLIMITS } from "../../linux/rlimits.js";
import { TASK_COMM_LEN } from "../../linux/sched.js";
import { NSIG } from "../../linux/signals.js";
import { NSEC_PER_SEC } from "../../linux/time.js";
import { N_TTY_BUF_SIZE } from "../../linux/tty.js";
import { FXSAVE_BYTES } from "../x86-registers.js";
import { NO_LSM } from "./credentials.js";

/** What a new stream says of where and when it was made. */
export interface NewHead {
  /** As uname(2) gives them; empty if unknown. */
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  /** Words of the longest auxiliary vector, its end included. */
  readonly auxvEntries: number;
  /** Name of the security module; undefined for none. */
  readonly securityModule: string | undefined;
  /** Wall clock at the start of the checkpoint, nanoseconds since 1970; 0 if unknown. */
  readonly realtime: bigint;
}

/** A row of TREE: ids of a task or thread, 0 for what lies outside of the tree. */
export interface TreeRow {
  readonly tid: number;
  readonly ppid: number;
  readonly pid: number;
  readonly pgid: number;
  readonly sid: number;
}

/** Clocks at the start of the checkpoint, in nanoseconds; undefined if only the wall clock is known. */
export interface NewClocks {
  readonly realtime: bigint;
  readonly own: { readonly monotonic: bigint; readonly boottime: bigint } | undefined;
  /** Whether the tasks had a time namespace of their own. */
  readonly isNamespace: boolean;
}

/** EXTENSIONS.writer */
const WRITERS = { convert: 1, checkpoint: 2 } as const;

const CHECKPOINT_VERSION = 6;
const CHECKPOINT_SUBTREE = 1n;
const UTS_BYTES = 65;
const LSM_NAME_BYTES = 11;
const TTY_NCCS = 19;
const CLOCKS_OWN_NAMESPACE = 1;
const CLOCKS_KNOWN = 2;

/** HEADER to LSM_INFO. */
export function* encodeHead(head: NewHead): Generator<NewRecord> {
  const { release, version, machine, auxvEntries, securityModule = NO_LSM, realtime } = head;
  const [major = 0, minor = 0, patch = 0] = release.split(/[.-]/).map(Number);
  yield {
    kind: RECORDS.HEADER,
    fields: {
      ...{ magic: HEAD_MAGIC, arch_id: WRITTEN_ARCH_ID, rev: CHECKPOINT_VERSION },
      ...{ major, minor, patch: Math.min(patch, 255) || 0 },
      constants: {
        task_comm_len: TASK_COMM_LEN,
        at_vector_size: auxvEntries,
        signal_nsig: NSIG,
        uts_sysname_len: UTS_BYTES,
        uts_nodename_len: UTS_BYTES,
        uts_release_len: UTS_BYTES,
        uts_version_len: UTS_BYTES,
        uts_machine_len: UTS_BYTES,
        uts_domainname_len: UTS_BYTES,
        rlimit_nlimits: RLIM_NLIMITS,
        n_tty_buf_size: N_TTY_BUF_SIZE,
        tty_termios_nccs: TTY_NCCS,
      },
      time: realtime / NSEC_PER_SEC,
      uflags: CHECKPOINT_SUBTREE,
    },
  };
  for (const text of [release, version, machine]) yield buffer(fixedText(text, UTS_BYTES));
  yield { kind: RECORDS.HEADER_ARCH, fields: { has_fxsr: 1, xstate_size: FXSAVE_BYTES } };
  yield { kind: RECORDS.CONTAINER, fields: {} };
  yield buffer(fixedText(securityModule, LSM_NAME_BYTES));
  yield { kind: RECORDS.LSM_INFO, fields: {}, payload: Buffer.from("dummy") };
}

/** The ids that the rows use: of all tasks, then of groups and sessions whose leader is gone or outside. */
export function idsOf(rows: readonly TreeRow[]): number[] {
  const ids = new Set(rows.map(({ tid }) => tid));
  for (const { pgid, sid } of rows) for (const id of [pgid, sid]) if (id > 0) ids.add(id);
  return [...ids];
}

/** PIDS with these ids, numbered from `offset` on, and TREE. `tag` is the number of an id, 0 for one that has none. */
export function* encodeTree(
  rows: readonly TreeRow[],
  ids: readonly number[],
  offset: number,
  tag: (id: number) => number,
): Generator<NewRecord> {
  yield { kind: RECORDS.PIDS, fields: { nr_pids: ids.length, offset } };
  const own = ids.flatMap((id) => [0, id]);
  yield buffer(wordBytes("s32", own, "process id"));
  yield { kind: RECORDS.TREE, fields: { nr_tasks: rows.length } };
  const tags = rows.flatMap(({ tid, ppid, pid, pgid, sid }) => [...[tid, ppid, pid, pgid, sid].map(tag), 0]);
  yield buffer(wordBytes("s32", tags, "number of a process id"));
}

/** EXTENSIONS of what this crimg writes. */
export function encodeExtensions(writer: keyof typeof WRITERS): NewRecord {
  return {
    kind: RECORDS.EXTENSIONS,
    fields: { version: EXTENSION_VERSION, oldest_reader: EXTENSION_VERSION, writer: WRITERS[writer] },
  };
}

export function encodeClocks({ realtime, own, isNamespace }: NewClocks): NewRecord {
  return {
    kind: RECORDS.CLOCKS,
    fields: {
      realtime_ns: realtime,
      monotonic_ns: own?.monotonic ?? 0n,
      boottime_ns: own?.boottime ?? 0n,
      flags: (isNamespace ? CLOCKS_OWN_NAMESPACE : 0) | (own === undefined ? 0 : CLOCKS_KNOWN),
    },
  };
}

/** The last record. */
export const TAIL: NewRecord = { kind: RECORDS.TAIL, fields: { magic: TAIL_MAGIC } };

/** Text in so many bytes, zero-filled, the last one always zero. */
export function fixedText(text: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  textToBytes(text).copy(bytes, 0, 0, size - 1);
  return bytes;
}

function buffer(payload: Buffer): NewRecord {
  return { kind: RECORDS.BUFFER, fields: {}, payload };
}
