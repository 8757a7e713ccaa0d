import { IMAGES } from "../../../formats/criu/images.js";
import { MM_ENTRY } from "../../../formats/criu/tables/mm.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { WRITTEN_DIALECT } from "../../../formats/linux-cr/stream-writer.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import { decodeSeccompFilters } from "../../../model/criu/seccomp.js";
import { decodeSecurityModule } from "../../../model/criu/surroundings.js";
import {
  encodeClocks,
  encodeExtensions,
  encodeHead,
  encodeTree,
  idsOf,
} from "../../../model/linux-cr/head.js";
import { encodeSeccompFilter } from "../../../model/linux-cr/seccomp.js";
import { part } from "../../../schema/message.js";
import type { Context } from "./context.js";
import type { SourceThread } from "./source-task.js";

/**
 * HEADER to the last record before the first task. CRIU stores neither the kernel's release nor the time of day: the
 * release stays empty, the time is when the inventory, which criu writes last, was written.
 */
export function writeHead(context: Context, threads: readonly SourceThread[]): void {
  const { writer } = context;
  const written = wallClock(context);
  context.auxvEntries = auxvEntries(context, threads);
  writer.records(
    encodeHead({
      ...{ release: "", version: "", machine: WRITTEN_DIALECT.arch.name },
      auxvEntries: context.auxvEntries,
      securityModule: decodeSecurityModule(context.set),
      realtime: written,
    }),
  );
  writeTree(context, threads);
  tellInventory(context);
  writer.records([encodeExtensions("convert")]);
  writeClocks(context, written);
  writeControlGroups(context);
  writeSeccompFilters(context);
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

function writeTree(context: Context, threads: readonly SourceThread[]): void {
  const { writer } = context;
  const rows = threads.map(({ tid, process: { pid, ppid, pgid, sid } }) => ({ tid, pid, ppid, pgid, sid }));
  const ids = idsOf(rows);
  const offset = writer.numbers(ids.length);
  context.setTags(offset, ids);
  writer.records(encodeTree(rows, ids, offset, (id) => context.tag(id) ?? 0));
}

function writeClocks({ set, writer }: Context, realtime: bigint): void {
  const [id] = set.ids(IMAGES.TIMENS);
  const clocks = id === undefined ? undefined : set.first(IMAGES.TIMENS, id);
  const root = set.firstIfAny(IMAGES.PSTREE)?.pid;
  const ids = root === undefined ? undefined : set.first(IMAGES.IDS, root);
  const isOwn = ids?.time_ns_id !== set.first(IMAGES.INVENTORY)?.root_ids?.time_ns_id;
  const own = clocks && { monotonic: nanoseconds(clocks.monotonic), boottime: nanoseconds(clocks.boottime) };
  writer.records([encodeClocks({ realtime, own, isNamespace: isOwn })]);
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
