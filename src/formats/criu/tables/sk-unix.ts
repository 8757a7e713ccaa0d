import { SOCKET_MODES } from "../../../linux/files.js";
import { SHUTDOWNS, TCP_STATES } from "../../../linux/sockets.js";
import { message, optional, required, type Value } from "../../../schema/message.js";
import { SK_STATE, SK_TYPE } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";
import { SK_OPTS_ENTRY, SK_SHUTDOWN } from "./sk-opts.js";

export const FILE_PERMS_ENTRY = message("file_perms_entry", "Mode and owner of a socket's file.", {
  mode: required(1, "uint32", { doc: "st_mode", domain: SOCKET_MODES }),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
});
export type FilePermsEntry = Value<typeof FILE_PERMS_ENTRY>;

export const UNIX_SK_ENTRY = message("unix_sk_entry", "A unix socket.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  ino: required(2, "uint32", { doc: "inode number, which peers refer to" }),
  type: required(3, "uint32", { show: { as: "names", table: SK_TYPE }, domain: SK_TYPE }),
  state: required(4, "uint32", { show: { as: "names", table: SK_STATE }, domain: TCP_STATES }),
  flags: required(5, "uint32", { doc: "open flags", show: { as: "hex" } }),
  uflags: required(6, "uint32", {
    doc: "1 external peer, 2 a socket of the criu service, 4 of a plugin, 8 passed in at the restore",
    show: { as: "hex" },
  }),
  backlog: required(7, "uint32", { doc: "queue of a listening socket" }),
  peer: required(8, "uint32", { doc: "inode number of the peer, not its id; 0 for none" }),
  fown: required(9, FOWN_ENTRY),
  opts: required(10, SK_OPTS_ENTRY),
  name: required(11, "bytes", {
    doc: "empty if unnamed; starts with a 0 byte if abstract; else a path with one terminating 0 byte; at most 108 bytes",
    show: { as: "unix-name" },
    holds: "path",
  }),
  shutdown: optional(12, SK_SHUTDOWN, { doc: "closed directions", domain: SHUTDOWNS }),
  file_perms: optional(13, FILE_PERMS_ENTRY, { doc: "only for a name in the file system", since: "0.4" }),
  name_dir: optional(14, "string", {
    doc: "directory of a relative name",
    holds: "path",
    since: "1.6.1",
  }),
  deleted: optional(15, "bool", { doc: "its file was deleted at the dump", since: "2.5" }),
  ns_id: optional(16, "uint32", { doc: "network namespace", since: "3.8" }),
  mnt_id: optional(17, "sint32", {
    doc: "mount of the path, -1 for the root of the restore",
    default: -1,
    since: "3.9",
  }),
});
export type UnixSkEntry = Value<typeof UNIX_SK_ENTRY>;
