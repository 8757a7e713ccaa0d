import { message, required, type Value } from "../../../schema/message.js";

export const FILE_LOCK_ENTRY = message("file_lock_entry", "", {
  flag: required(1, "uint32"),
  type: required(2, "uint32"),
  pid: required(3, "int32"),
  fd: required(4, "int32"),
  start: required(5, "int64"),
  len: required(6, "int64"),
});
export type FileLockEntry = Value<typeof FILE_LOCK_ENTRY>;
