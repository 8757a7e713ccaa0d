import { enumTable } from "../../../io/enums.js";
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

export const MNT_ENTRY = message(
  "mnt_entry",
  "One mount of a mount namespace; children are stored before their parents.",
  {
    fstype: required(1, "uint32", {
      doc: "file system, by the enum fstype; for 16 (AUTO) see fsname",
    }),
    mnt_id: required(2, "uint32", { doc: "id at the dump, which files refer to" }),
    root_dev: required(3, "uint32", {
      doc: "device of the file system in the kernel's form; mounts with the same one have the same file system",
      show: { as: "dev" },
    }),
    parent_mnt_id: required(4, "uint32", {
      doc: "parent mount; not in the set for the root of a namespace",
    }),
    flags: required(5, "uint32", { doc: "MS_* flags of the mount", show: { as: "hex" } }),
    root: required(6, "string", {
      doc: "mounted directory of the file system, / for all of it",
      holds: "path",
    }),
    mountpoint: required(7, "string", { doc: "absolute path inside the mount namespace", holds: "path" }),
    source: required(8, "string", {
      doc: "device, label, or source path of a bind mount",
      holds: "path-text",
    }),
    options: required(9, "string", {
      doc: "options of the file system, which may hold paths",
      holds: "path-text",
    }),
    shared_id: optional(10, "uint32", { doc: "peer group, 0 for none", since: "0.7" }),
    master_id: optional(11, "uint32", {
      doc: "master peer group, 0 for none; external if no mount has it as shared_id",
      since: "0.7",
    }),
    with_plugin: optional(12, "bool", { doc: "a plugin mounts it", since: "1.1-rc1" }),
    ext_mount: optional(13, "bool", {
      doc: "mounted from outside; the key is in root",
      since: "1.3-rc2",
      deprecated: true,
    }),
    fsname: optional(14, "string", { doc: "name of the file system type when fstype is AUTO", since: "1.6" }),
    internal_sharing: optional(15, "bool", {
      doc: "an external mount whose peer group differs from that of its source",
      since: "1.6",
    }),
    deleted: optional(16, "bool", { doc: "the source of the bind mount was deleted", since: "1.7" }),
    sb_flags: optional(17, "uint32", {
      doc: "MS_* flags of the file system",
      show: { as: "hex" },
      since: "1.8",
    }),
    ext_key: optional(18, "string", {
      doc: "source: a key for --external at the restore, or one that starts with CRIU:",
      holds: "label",
      since: "3.0",
    }),
  },
);
export type MntEntry = Value<typeof MNT_ENTRY>;
