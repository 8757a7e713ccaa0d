import { message, repeated, required, type Value } from "../../../schema/message.js";

export const PSTREE_ENTRY = message("pstree_entry", "", {
  pid: required(1, "uint32"),
  ppid: required(2, "uint32"),
  pgid: required(3, "uint32"),
  sid: required(4, "uint32"),
  threads: repeated(5, "uint32"),
});
export type PstreeEntry = Value<typeof PSTREE_ENTRY>;
