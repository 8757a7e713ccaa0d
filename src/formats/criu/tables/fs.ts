import { message, optional, required, type Value } from "../../../schema/message.js";

export const FS_ENTRY = message("fs_entry", "", {
  cwd_id: required(1, "uint32"),
  root_id: required(2, "uint32"),
  umask: optional(3, "uint32", { since: "0.4" }),
});
export type FsEntry = Value<typeof FS_ENTRY>;
