import { enumTable } from "../../../schema/enums.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { TASK_KOBJ_IDS_ENTRY } from "./core.js";

export const LSMTYPE = enumTable("lsmtype", {
  NO_LSM: 0,
  SELINUX: 1,
  APPARMOR: 2,
});

export const PLUGINS_ENTRY = message("plugins_entry", "", {
  plugins: repeated(12, "string"),
});
export type PluginsEntry = Value<typeof PLUGINS_ENTRY>;

export const INVENTORY_ENTRY = message("inventory_entry", "", {
  img_version: required(1, "uint32"),
  fdinfo_per_id: optional(2, "bool", { since: "0.4" }),
  root_ids: optional(3, TASK_KOBJ_IDS_ENTRY, { since: "0.4" }),
  ns_per_id: optional(4, "bool", { since: "0.8" }),
  root_cg_set: optional(5, "uint32", { since: "1.3-rc2" }),
  lsmtype: optional(6, LSMTYPE, { since: "1.6" }),
  dump_uptime: optional(8, "uint64", { since: "3.10" }),
  pre_dump_mode: optional(9, "uint32", { since: "3.14" }),
  tcp_close: optional(10, "bool", { since: "3.15" }),
  network_lock_method: optional(11, "uint32", { since: "3.16" }),
  plugins_entry: optional(12, PLUGINS_ENTRY, { since: "4.1" }),
  dump_criu_run_id: optional(13, "string", { since: "4.1" }),
  allow_uprobes: optional(14, "bool", { since: "4.2" }),
  compress: optional(15, "uint32", {
    doc: "how memory pages are compressed with LZ4: 0 not at all, 1 in blocks (first one page each), 2 in blocks of several pages",
    since: "criu-dev",
  }),
  compress_region_size: optional(16, "uint32", {
    doc: "bytes of memory in one compressed block; only information, each pagemap entry says its own. Later criu-dev calls it compress_block_size",
    since: "criu-dev",
  }),
});
export type InventoryEntry = Value<typeof INVENTORY_ENTRY>;
