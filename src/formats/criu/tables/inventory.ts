import { enumTable } from "../../../io/enums.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { TASK_KOBJ_IDS_ENTRY } from "./core.js";

export const LSMTYPE = enumTable("lsmtype", {
  NO_LSM: 0,
  SELINUX: 1,
  APPARMOR: 2,
});

export const PLUGINS_ENTRY = message(
  "plugins_entry",
  "The plugins used at the dump, which a restore needs.",
  {
    plugins: repeated(12, "string"),
  },
);
export type PluginsEntry = Value<typeof PLUGINS_ENTRY>;

export const INVENTORY_ENTRY = message(
  "inventory_entry",
  "Facts about the whole set: format version, and options of the dump that a restore must follow.",
  {
    img_version: required(1, "uint32", {
      doc: "1 without head magics, 2 with them (criu 1.6), 3 with compressed pages (criu-dev of 2026)",
    }),
    fdinfo_per_id: optional(2, "bool", {
      doc: "descriptor tables are named by id; required by criu",
      since: "0.4",
    }),
    root_ids: optional(3, TASK_KOBJ_IDS_ENTRY, {
      doc: "namespaces of criu; tasks with these ids share them and have no namespace images",
      since: "0.4",
    }),
    ns_per_id: optional(4, "bool", {
      doc: "namespace images are named by namespace, not by task",
      since: "0.8",
    }),
    root_cg_set: optional(5, "uint32", {
      doc: "id of the control groups of criu, which are not stored",
      since: "1.3-rc2",
    }),
    lsmtype: optional(6, LSMTYPE, {
      doc: "security module of the dumped machine; a restore with another one fails if labels are stored",
      since: "1.6",
    }),
    dump_uptime: optional(8, "uint64", {
      doc: "time since boot at the dump, in microseconds; detects reused pids in a chain of sets",
      since: "3.10",
    }),
    pre_dump_mode: optional(9, "uint32", {
      doc: "how pre-dumps read memory: 1 splice, 2 process_vm_readv(2)",
      since: "3.14",
    }),
    tcp_close: optional(10, "bool", {
      doc: "TCP connections are closed at the restore, so their streams are not stored",
      since: "3.15",
    }),
    network_lock_method: optional(11, "uint32", {
      doc: "how the network was locked: 0 iptables, 1 nftables, 2 not at all",
      since: "3.16",
    }),
    plugins_entry: optional(12, PLUGINS_ENTRY, { since: "4.1" }),
    dump_criu_run_id: optional(13, "string", {
      doc: "identifies the firewall rules of the dump, so that the restore can remove them",
      since: "4.1",
    }),
    allow_uprobes: optional(14, "bool", {
      doc: "the tasks had uprobes; a restore needs --allow-uprobes",
      since: "4.2",
    }),
    compress: optional(15, "uint32", {
      doc: "how memory pages are compressed with LZ4: 0 not at all, 1 in blocks (first one page each), 2 in blocks of several pages",
      since: "criu-dev",
    }),
    compress_region_size: optional(16, "uint32", {
      doc: "bytes of memory in one compressed block; informational, each pagemap entry has its own. Named compress_block_size in later criu-dev",
      since: "criu-dev",
    }),
  },
);
export type InventoryEntry = Value<typeof INVENTORY_ENTRY>;
