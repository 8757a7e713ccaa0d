import { message, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const PIDFD_ENTRY = message("pidfd_entry", "", {
  id: required(1, "uint32"),
  ino: required(2, "uint32"),
  flags: required(3, "uint32"),
  nspid: required(4, "int32"),
  fown: required(5, FOWN_ENTRY),
});
export type PidfdEntry = Value<typeof PIDFD_ENTRY>;
