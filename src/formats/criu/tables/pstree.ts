import { message, repeated, required, type Value } from "../../../schema/message.js";

export const PSTREE_ENTRY = message(
  "pstree_entry",
  "One process of the tree; a parent stands before its children.",
  {
    pid: required(1, "uint32"),
    ppid: required(2, "uint32", { doc: "0 for the root of the tree" }),
    pgid: required(3, "uint32", { doc: "may name a leader that has ended" }),
    sid: required(4, "uint32", {
      doc: "may name a leader that has ended; of the root also one outside of the set",
    }),
    threads: repeated(5, "uint32", {
      doc: "ids of the threads, the leader first; of no meaning for a zombie",
    }),
  },
);
export type PstreeEntry = Value<typeof PSTREE_ENTRY>;
