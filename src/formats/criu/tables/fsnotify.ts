import { enumTable } from "../../../io/enums.js";
import { WATCH_MASK, WATCHES } from "../../../linux/files.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const FH_ENTRY_SIZES = enumTable("fh_entry_sizes", {
  min_entries: 16,
});

export const MARK_TYPE = enumTable("mark_type", {
  INODE: 1,
  MOUNT: 2,
});

export const FH_ENTRY = message("fh_entry", "A file handle of a file system.", {
  bytes: required(1, "uint32", { doc: "valid bytes of the handle" }),
  type: required(2, "uint32", { doc: "handle type of the file system" }),
  handle: repeated(3, "uint64", { doc: "the handle; valid only on its file system" }),
  path: optional(4, "string", {
    doc: "if set, used by a restore instead of the handle",
    holds: "path",
    since: "1.2",
  }),
  mnt_id: optional(5, "uint32", { doc: "mount of the file", since: "1.7.1" }),
});
export type FhEntry = Value<typeof FH_ENTRY>;

export const FANOTIFY_INODE_MARK_ENTRY = message("fanotify_inode_mark_entry", "A fanotify mark on a file.", {
  i_ino: required(1, "uint64", { doc: "inode number" }),
  f_handle: required(2, FH_ENTRY),
});
export type FanotifyInodeMarkEntry = Value<typeof FANOTIFY_INODE_MARK_ENTRY>;

export const FANOTIFY_MOUNT_MARK_ENTRY = message("fanotify_mount_mark_entry", "A fanotify mark on a mount.", {
  mnt_id: required(1, "uint32", {
    doc: "the mount; ignored without a mount namespace in the set, where path is used",
  }),
  path: optional(2, "string", {
    doc: "mount point, stored only without a mount namespace",
    holds: "path",
    since: "3.1",
  }),
});
export type FanotifyMountMarkEntry = Value<typeof FANOTIFY_MOUNT_MARK_ENTRY>;

export const FANOTIFY_MARK_ENTRY = message("fanotify_mark_entry", "One mark of a fanotify.", {
  id: required(1, "uint32", { doc: "0; in old sets the id of the fanotify file" }),
  type: required(2, MARK_TYPE),
  mflags: required(3, "uint32", { doc: "flags of the mark", show: { as: "hex" } }),
  mask: required(4, "uint32", { doc: "events that are reported", show: { as: "hex" } }),
  ignored_mask: required(5, "uint32", { doc: "events that are not reported", show: { as: "hex" } }),
  s_dev: required(6, "uint32", { doc: "device number in the kernel's form", show: { as: "dev" } }),
  ie: optional(7, FANOTIFY_INODE_MARK_ENTRY),
  me: optional(8, FANOTIFY_MOUNT_MARK_ENTRY),
});
export type FanotifyMarkEntry = Value<typeof FANOTIFY_MARK_ENTRY>;

export const FANOTIFY_FILE_ENTRY = message("fanotify_file_entry", "A fanotify with its marks.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  flags: required(2, "uint32", { show: { as: "hex" } }),
  fown: required(3, FOWN_ENTRY),
  faflags: required(4, "uint32", { doc: "flags of fanotify_init(2)", show: { as: "hex" } }),
  evflags: required(5, "uint32", {
    doc: "open flags of the descriptors of its events",
    show: { as: "hex" },
  }),
  mark: repeated(6, FANOTIFY_MARK_ENTRY, { since: "1.4" }),
});
export type FanotifyFileEntry = Value<typeof FANOTIFY_FILE_ENTRY>;

export const INOTIFY_WD_ENTRY = message("inotify_wd_entry", "One watch of an inotify.", {
  id: required(1, "uint32", { doc: "0; in old sets the id of the inotify file" }),
  i_ino: required(2, "uint64", { doc: "inode number; also finds watches on deleted files" }),
  mask: required(3, "uint32", { doc: "events that are reported", show: { as: "hex" }, domain: WATCH_MASK }),
  ignored_mask: required(4, "uint32", { show: { as: "hex" } }),
  s_dev: required(5, "uint32", { doc: "device number in the kernel's form", show: { as: "dev" } }),
  wd: required(6, "uint32", { doc: "watch descriptor; unique", domain: WATCHES }),
  f_handle: required(7, FH_ENTRY),
});
export type InotifyWdEntry = Value<typeof INOTIFY_WD_ENTRY>;

export const INOTIFY_FILE_ENTRY = message("inotify_file_entry", "An inotify with its watches.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  flags: required(2, "uint32", { show: { as: "hex" } }),
  fown: required(4, FOWN_ENTRY),
  wd: repeated(5, INOTIFY_WD_ENTRY, { since: "1.4" }),
});
export type InotifyFileEntry = Value<typeof INOTIFY_FILE_ENTRY>;

export const IRMAP_CACHE_ENTRY = message(
  "irmap_cache_entry",
  "A path of an inode, cached by criu for the next dump.",
  {
    dev: required(1, "uint32", { doc: "device number as stat(2) gives it", show: { as: "odev" } }),
    inode: required(2, "uint64"),
    path: required(3, "string", { holds: "path" }),
  },
);
export type IrmapCacheEntry = Value<typeof IRMAP_CACHE_ENTRY>;
