import { IMAGES } from "../../../formats/criu/images.js";
import { MM_ENTRY } from "../../../formats/criu/tables/mm.js";
import { EXTENSION_VERSION } from "../../../formats/linux-cr/records/extensions.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { WRITTEN_ARCH_ID, WRITTEN_DIALECT } from "../../../formats/linux-cr/stream-writer.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { textToBytes } from "../../../io/text.js";
import { wordBytes } from "../../../io/words.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import { decodeSeccompFilters } from "../../../model/criu/seccomp.js";
import { decodeSecurityModule } from "../../../model/criu/surroundings.js";
import { encodeSeccompFilter } from "../../../model/linux-cr/seccomp.js";
import { FXSAVE_BYTES } from "../../../model/x86-registers.js";
import { part } from "../../../schema/message.js";
import type { Context } from "./context.js";
import type { SourceThread } from "./source-task.js";

const MAGIC = 0x00feed0cc0a2d200n;
const CHECKPOINT_VERSION = 6;
const CHECKPOINT_SUBTREE = 1n;
const NAME_BYTES = 65;
const LSM_NAME_BYTES = 11;
/** EXTENSIONS.writer: crimg convert. */
const WRITER_CONVERT = 1;
const CLOCKS_OWN_NAMESPACE = 1;
const CLOCKS_KNOWN = 2;

/**
 * HEADER to the last record before the first task. CRIU stores neither the kernel's release nor the time of day: the
 * release stays empty, the time is when the inventory, which criu writes last, was written.
 */
export function writeHead(context: Context, threads: readonly SourceThread[]): void {
  const { writer } = context;
  const written = wallClock(context);
  context.auxvEntries = auxvEntries(context, threads);
  writer.record(RECORDS.HEADER, {
    magic: MAGIC,
    arch_id: WRITTEN_ARCH_ID,
    rev: CHECKPOINT_VERSION,
    constants: {
      task_comm_len: 16,
      at_vector_size: context.auxvEntries,
      signal_nsig: 64,
      uts_sysname_len: NAME_BYTES,
      uts_nodename_len: NAME_BYTES,
      uts_release_len: NAME_BYTES,
      uts_version_len: NAME_BYTES,
      uts_machine_len: NAME_BYTES,
      uts_domainname_len: NAME_BYTES,
      rlimit_nlimits: 16,
      n_tty_buf_size: 4096,
      tty_termios_nccs: 19,
    },
    time: written / NSEC_PER_SEC,
    uflags: CHECKPOINT_SUBTREE,
  });
  writer.buffer(Buffer.alloc(NAME_BYTES));
  writer.buffer(Buffer.alloc(NAME_BYTES));
  writer.buffer(fixedText(WRITTEN_DIALECT.arch.name, NAME_BYTES));
  writer.record(RECORDS.HEADER_ARCH, { has_fxsr: 1, xstate_size: FXSAVE_BYTES });
  writer.record(RECORDS.CONTAINER);
  writer.buffer(fixedText(decodeSecurityModule(context.set) ?? "lsm_none", LSM_NAME_BYTES));
  writer.record(RECORDS.LSM_INFO, {}, Buffer.from("dummy"));
  writeTree(context, threads);
  tellInventory(context);
  writer.record(RECORDS.EXTENSIONS, {
    version: EXTENSION_VERSION,
    oldest_reader: EXTENSION_VERSION,
    writer: WRITER_CONVERT,
  });
  writeClocks(context, written);
  writeControlGroups(context);
  writeSeccompFilters(context);
}

/** Text in so many bytes, zero-filled, the last one always zero. */
export function fixedText(text: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  textToBytes(text).copy(bytes, 0, 0, size - 1);
  return bytes;
}

/** Nanoseconds since 1970; 0 when it is not known. */
function wallClock({ set }: Context): bigint {
  const written = set.fileSet.modified?.(IMAGES.INVENTORY.file);
  return BigInt(Math.round(written?.getTime() ?? 0)) * 1_000_000n;
}

const AUXV = part(MM_ENTRY, { mm_saved_auxv: MM_ENTRY.fields.mm_saved_auxv });

/** The longest auxiliary vector of the set: a restore that sets a longer one than the kernel knows is refused. */
function auxvEntries({ set }: Context, threads: readonly SourceThread[]): number {
  let most = 0;
  for (const { tid, isLeader } of threads) {
    if (!isLeader) continue;
    most = Math.max(most, set.firstPart(IMAGES.MM, tid, AUXV)?.mm_saved_auxv.length ?? 0);
  }
  return most;
}

/** What criu must be told at a restore, which a stream does not know of. */
function tellInventory({ set, losses }: Context): void {
  const { plugins_entry, allow_uprobes } = set.first(IMAGES.INVENTORY) ?? {};
  for (const plugin of plugins_entry?.plugins ?? [])
    losses.add(`plugin ${plugin}`, "that it took part in the dump", "a stream knows no plugins of criu");
  if (allow_uprobes === true)
    losses.add("inventory", "that tasks had uprobes", "a stream holds memory without them");
}

/** PIDS: the ids of all threads, then those of groups and sessions whose leader is gone or outside. TREE: who is who. */
function writeTree(context: Context, threads: readonly SourceThread[]): void {
  const { writer } = context;
  const ids = new Set(threads.map(({ tid }) => tid));
  for (const { process } of threads) for (const id of [process.pgid, process.sid]) if (id > 0) ids.add(id);
  const pids = [...ids];
  const offset = writer.numbers(pids.length);
  context.setTags(offset, pids);
  writer.record(RECORDS.PIDS, { nr_pids: pids.length, offset });
  writer.buffer(
    wordBytes(
      "s32",
      pids.flatMap((pid) => [0, pid]),
      "process id",
    ),
  );
  writer.record(RECORDS.TREE, { nr_tasks: threads.length });
  const tag = (pid: number): number => context.tag(pid) ?? 0;
  const numbers = threads.flatMap(({ tid, process: { pid, ppid, pgid, sid } }) => [
    ...[tag(tid), tag(ppid), tag(pid), tag(pgid), tag(sid)],
    0,
  ]);
  writer.buffer(wordBytes("s32", numbers, "number of a process id"));
}

function writeClocks({ set, writer }: Context, realtime: bigint): void {
  const [id] = set.ids(IMAGES.TIMENS);
  const clocks = id === undefined ? undefined : set.first(IMAGES.TIMENS, id);
  const root = set.firstIfAny(IMAGES.PSTREE)?.pid;
  const ids = root === undefined ? undefined : set.first(IMAGES.IDS, root);
  const isOwn = ids?.time_ns_id !== set.first(IMAGES.INVENTORY)?.root_ids?.time_ns_id;
  writer.record(RECORDS.CLOCKS, {
    realtime_ns: realtime,
    monotonic_ns: clocks === undefined ? 0n : nanoseconds(clocks.monotonic),
    boottime_ns: clocks === undefined ? 0n : nanoseconds(clocks.boottime),
    flags: (isOwn ? CLOCKS_OWN_NAMESPACE : 0) | (clocks === undefined ? 0 : CLOCKS_KNOWN),
  });
}

function nanoseconds({ tv_sec, tv_nsec }: { readonly tv_sec: bigint; readonly tv_nsec: bigint }): bigint {
  return tv_sec * NSEC_PER_SEC + tv_nsec;
}

function writeControlGroups({ set, writer, losses }: Context): void {
  const groups = set.first(IMAGES.CGROUP);
  for (const { id, ctls } of groups?.sets ?? []) {
    const lines = ctls.map(({ name, path }) => `${name}:${path}\n`).join("");
    writer.record(RECORDS.CGROUP_SET, { set_id: id }, textPayload(RECORDS.CGROUP_SET, lines));
    if (ctls.some(({ cgns_prefix }) => (cgns_prefix ?? 0) > 0))
      losses.add(
        `control group set ${id}`,
        "where the cgroup namespace of its tasks begins",
        "a stream holds whole paths of control groups",
      );
  }
  for (const { cnames, dirs } of groups?.controllers ?? [])
    if (dirs.length > 0)
      losses.add(
        `control groups of ${cnames.filter((name) => name !== "").join(",") || "the unified hierarchy"}`,
        "their directories, limits and owners",
        "a stream holds which groups tasks are in and not how these are made",
      );
}

function writeSeccompFilters({ set, writer }: Context): void {
  for (const filter of decodeSeccompFilters(set))
    writer.record(RECORDS.SECCOMP_FILTER, encodeSeccompFilter(filter), filter.program());
}
