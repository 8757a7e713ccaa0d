import { message, optional, required, type Value } from "../../../schema/message.js";

export const DUMP_STATS_ENTRY = message("dump_stats_entry", "", {
  freezing_time: required(1, "uint32"),
  frozen_time: required(2, "uint32"),
  memdump_time: required(3, "uint32"),
  memwrite_time: required(4, "uint32"),
  pages_scanned: required(5, "uint64"),
  pages_skipped_parent: required(6, "uint64"),
  pages_written: required(7, "uint64"),
  irmap_resolve: optional(8, "uint32", { since: "1.2" }),
  pages_lazy: required(9, "uint64", { since: "3.5" }),
  page_pipes: optional(10, "uint64", { since: "3.7" }),
  page_pipe_bufs: optional(11, "uint64", { since: "3.7" }),
  shpages_scanned: optional(12, "uint64", { since: "3.13" }),
  shpages_skipped_parent: optional(13, "uint64", { since: "3.13" }),
  shpages_written: optional(14, "uint64", { since: "3.13" }),
});
export type DumpStatsEntry = Value<typeof DUMP_STATS_ENTRY>;

export const RESTORE_STATS_ENTRY = message("restore_stats_entry", "", {
  pages_compared: required(1, "uint64"),
  pages_skipped_cow: required(2, "uint64"),
  forking_time: required(3, "uint32"),
  restore_time: required(4, "uint32"),
  pages_restored: optional(5, "uint64", { since: "1.2" }),
});
export type RestoreStatsEntry = Value<typeof RESTORE_STATS_ENTRY>;

export const STATS_ENTRY = message("stats_entry", "", {
  dump: optional(1, DUMP_STATS_ENTRY),
  restore: optional(2, RESTORE_STATS_ENTRY, { since: "0.7" }),
});
export type StatsEntry = Value<typeof STATS_ENTRY>;
