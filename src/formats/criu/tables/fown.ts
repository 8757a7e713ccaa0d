import { message, required, type Value } from "../../../schema/message.js";

export const FOWN_ENTRY = message("fown_entry", "", {
  uid: required(1, "uint32"),
  euid: required(2, "uint32"),
  signum: required(3, "uint32"),
  pid_type: required(4, "uint32"),
  pid: required(5, "uint32"),
});
export type FownEntry = Value<typeof FOWN_ENTRY>;
