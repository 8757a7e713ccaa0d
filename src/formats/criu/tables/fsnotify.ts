import { enumTable } from "../../../schema/enums.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const FH_ENTRY_SIZES = enumTable("fh_entry_sizes", {
  min_entries: 16,
});

export const MARK_TYPE = enumTable("mark_type", {
  INODE: 1,
  MOUNT: 2,
});

export const FH_ENTRY = message("fh_entry", "", {
  bytes: required(1, "uint32"),
  type: required(2, "uint32"),
  handle: repeated(3, "uint64"),
  path: optional(4, "string", { holds: "path", since: "1.2" }),
  mnt_id: optional(5, "uint32", { since: "1.7.1" }),
});
export type FhEntry = Value<typeof FH_ENTRY>;

export const FANOTIFY_INODE_MARK_ENTRY = message("fanotify_inode_mark_entry", "", {
  i_ino: required(1, "uint64"),
  f_handle: required(2, FH_ENTRY),
});
export type FanotifyInodeMarkEntry = Value<typeof FANOTIFY_INODE_MARK_ENTRY>;

export const FANOTIFY_MOUNT_MARK_ENTRY = message("fanotify_mount_mark_entry", "", {
  mnt_id: required(1, "uint32"),
  path: optional(2, "string", { holds: "path", since: "3.1" }),
});
export type FanotifyMountMarkEntry = Value<typeof FANOTIFY_MOUNT_MARK_ENTRY>;

export const FANOTIFY_MARK_ENTRY = message("fanotify_mark_entry", "", {
  id: required(1, "uint32"),
  type: required(2, MARK_TYPE),
  mflags: required(3, "uint32", { show: { as: "hex" } }),
  mask: required(4, "uint32", { show: { as: "hex" } }),
  ignored_mask: required(5, "uint32", { show: { as: "hex" } }),
  s_dev: required(6, "uint32", { show: { as: "dev" } }),
  ie: optional(7, FANOTIFY_INODE_MARK_ENTRY),
  me: optional(8, FANOTIFY_MOUNT_MARK_ENTRY),
});
export type FanotifyMarkEntry = Value<typeof FANOTIFY_MARK_ENTRY>;

export const FANOTIFY_FILE_ENTRY = message("fanotify_file_entry", "", {
  id: required(1, "uint32"),
  flags: required(2, "uint32", { show: { as: "hex" } }),
  fown: required(3, FOWN_ENTRY),
  faflags: required(4, "uint32", { show: { as: "hex" } }),
  evflags: required(5, "uint32", { show: { as: "hex" } }),
  mark: repeated(6, FANOTIFY_MARK_ENTRY, { since: "1.4" }),
});
export type FanotifyFileEntry = Value<typeof FANOTIFY_FILE_ENTRY>;

export const INOTIFY_WD_ENTRY = message("inotify_wd_entry", "", {
  id: required(1, "uint32"),
  i_ino: required(2, "uint64"),
  mask: required(3, "uint32", { show: { as: "hex" } }),
  ignored_mask: required(4, "uint32", { show: { as: "hex" } }),
  s_dev: required(5, "uint32", { show: { as: "dev" } }),
  wd: required(6, "uint32"),
  f_handle: required(7, FH_ENTRY),
});
export type InotifyWdEntry = Value<typeof INOTIFY_WD_ENTRY>;

export const INOTIFY_FILE_ENTRY = message("inotify_file_entry", "", {
  id: required(1, "uint32"),
  flags: required(2, "uint32", { show: { as: "hex" } }),
  fown: required(4, FOWN_ENTRY),
  wd: repeated(5, INOTIFY_WD_ENTRY, { since: "1.4" }),
});
export type InotifyFileEntry = Value<typeof INOTIFY_FILE_ENTRY>;

export const IRMAP_CACHE_ENTRY = message("irmap_cache_entry", "", {
  dev: required(1, "uint32", { show: { as: "odev" } }),
  inode: required(2, "uint64"),
  path: required(3, "string", { holds: "path" }),
});
export type IrmapCacheEntry = Value<typeof IRMAP_CACHE_ENTRY>;
