import { message, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const PIDFD_ENTRY = message("pidfd_entry", "A descriptor for a process, pidfd_open(2).", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  ino: required(2, "uint32", { doc: "inode number; equal for one dead process" }),
  flags: required(3, "uint32"),
  nspid: required(4, "int32", { doc: "pid, -1 for a process that has ended" }),
  fown: required(5, FOWN_ENTRY),
});
export type PidfdEntry = Value<typeof PIDFD_ENTRY>;
