import { enumTable } from "../../../schema/enums.js";
import { message, optional, required, type Value } from "../../../schema/message.js";

export const FSTYPE = enumTable("fstype", {
  UNSUPPORTED: 0,
  PROC: 1,
  SYSFS: 2,
  DEVTMPFS: 3,
  BINFMT_MISC: 4,
  TMPFS: 5,
  DEVPTS: 6,
  SIMFS: 7,
  PSTORE: 8,
  SECURITYFS: 9,
  FUSECTL: 10,
  DEBUGFS: 11,
  CGROUP: 12,
  AUFS: 13,
  MQUEUE: 14,
  FUSE: 15,
  AUTO: 16,
  OVERLAYFS: 17,
  AUTOFS: 18,
  TRACEFS: 19,
  CGROUP2: 23,
});

export const MNT_ENTRY = message("mnt_entry", "", {
  fstype: required(1, "uint32"),
  mnt_id: required(2, "uint32"),
  root_dev: required(3, "uint32", { show: { as: "dev" } }),
  parent_mnt_id: required(4, "uint32"),
  flags: required(5, "uint32", { show: { as: "hex" } }),
  root: required(6, "string", { holds: "path" }),
  mountpoint: required(7, "string", { holds: "path" }),
  source: required(8, "string", { holds: "path-text" }),
  options: required(9, "string", { holds: "path-text" }),
  shared_id: optional(10, "uint32", { since: "0.7" }),
  master_id: optional(11, "uint32", { since: "0.7" }),
  with_plugin: optional(12, "bool", { since: "1.1-rc1" }),
  ext_mount: optional(13, "bool", { since: "1.3-rc2", deprecated: true }),
  fsname: optional(14, "string", { since: "1.6" }),
  internal_sharing: optional(15, "bool", { since: "1.6" }),
  deleted: optional(16, "bool", { since: "1.7" }),
  sb_flags: optional(17, "uint32", { show: { as: "hex" }, since: "1.8" }),
  ext_key: optional(18, "string", { holds: "label", since: "3.0" }),
});
export type MntEntry = Value<typeof MNT_ENTRY>;
