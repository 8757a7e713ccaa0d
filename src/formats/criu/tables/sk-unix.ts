import { message, optional, required, type Value } from "../../../schema/message.js";
import { SK_STATE, SK_TYPE } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";
import { SK_OPTS_ENTRY, SK_SHUTDOWN } from "./sk-opts.js";

export const FILE_PERMS_ENTRY = message("file_perms_entry", "", {
  mode: required(1, "uint32"),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
});
export type FilePermsEntry = Value<typeof FILE_PERMS_ENTRY>;

export const UNIX_SK_ENTRY = message("unix_sk_entry", "", {
  id: required(1, "uint32"),
  ino: required(2, "uint32"),
  type: required(3, "uint32", { show: { as: "names", table: SK_TYPE } }),
  state: required(4, "uint32", { show: { as: "names", table: SK_STATE } }),
  flags: required(5, "uint32", { show: { as: "hex" } }),
  uflags: required(6, "uint32", { show: { as: "hex" } }),
  backlog: required(7, "uint32"),
  peer: required(8, "uint32"),
  fown: required(9, FOWN_ENTRY),
  opts: required(10, SK_OPTS_ENTRY),
  name: required(11, "bytes", { show: { as: "unix-name" }, holds: "path" }),
  shutdown: optional(12, SK_SHUTDOWN),
  file_perms: optional(13, FILE_PERMS_ENTRY, { since: "0.4" }),
  name_dir: optional(14, "string", { holds: "path", since: "1.6.1" }),
  deleted: optional(15, "bool", { since: "2.5" }),
  ns_id: optional(16, "uint32", { since: "3.8" }),
  mnt_id: optional(17, "sint32", { default: -1, since: "3.9" }),
});
export type UnixSkEntry = Value<typeof UNIX_SK_ENTRY>;
