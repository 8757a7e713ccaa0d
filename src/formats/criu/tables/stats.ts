import { message, optional, required, type Value } from "../../../schema/message.js";

export const DUMP_STATS_ENTRY = message("dump_stats_entry", "Times and page counts of a dump.", {
  freezing_time: required(1, "uint32", { doc: "microseconds to freeze all tasks" }),
  frozen_time: required(2, "uint32", { doc: "microseconds for which they were frozen" }),
  memdump_time: required(3, "uint32", { doc: "microseconds to read their memory" }),
  memwrite_time: required(4, "uint32", { doc: "microseconds to write it" }),
  pages_scanned: required(5, "uint64", { doc: "scanned pages" }),
  pages_skipped_parent: required(6, "uint64", { doc: "pages skipped (in the parent set)" }),
  pages_written: required(7, "uint64", { doc: "pages in the set" }),
  irmap_resolve: optional(8, "uint32", { doc: "microseconds to find paths of watched inodes", since: "1.2" }),
  pages_lazy: required(9, "uint64", { doc: "pages left in the tasks", since: "3.5" }),
  page_pipes: optional(10, "uint64", { doc: "pipes used to move pages", since: "3.7" }),
  page_pipe_bufs: optional(11, "uint64", { doc: "buffers of these pipes", since: "3.7" }),
  shpages_scanned: optional(12, "uint64", { doc: "the same counts for shared memory", since: "3.13" }),
  shpages_skipped_parent: optional(13, "uint64", { since: "3.13" }),
  shpages_written: optional(14, "uint64", { since: "3.13" }),
});
export type DumpStatsEntry = Value<typeof DUMP_STATS_ENTRY>;

export const RESTORE_STATS_ENTRY = message("restore_stats_entry", "Times and page counts of a restore.", {
  pages_compared: required(1, "uint64", { doc: "pages compared with those of the parent process" }),
  pages_skipped_cow: required(2, "uint64", { doc: "pages that stayed shared with the parent process" }),
  forking_time: required(3, "uint32", { doc: "microseconds to create the tasks" }),
  restore_time: required(4, "uint32", { doc: "microseconds of the whole restore" }),
  pages_restored: optional(5, "uint64", { doc: "pages written", since: "1.2" }),
});
export type RestoreStatsEntry = Value<typeof RESTORE_STATS_ENTRY>;

export const STATS_ENTRY = message(
  "stats_entry",
  "Statistics of one run of criu: of a dump or of a restore.",
  {
    dump: optional(1, DUMP_STATS_ENTRY),
    restore: optional(2, RESTORE_STATS_ENTRY, { since: "0.7" }),
  },
);
export type StatsEntry = Value<typeof STATS_ENTRY>;
