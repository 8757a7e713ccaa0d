import { message, repeated, required, type Value } from "../../../schema/message.js";

export const PSTREE_ENTRY = message(
  "pstree_entry",
  "One process of the tree; parents come before their children.",
  {
    pid: required(1, "uint32"),
    ppid: required(2, "uint32", { doc: "0 for the root of the tree" }),
    pgid: required(3, "uint32", { doc: "its leader may have ended" }),
    sid: required(4, "uint32", {
      doc: "its leader may have ended; for the root it may also be outside of the set",
    }),
    threads: repeated(5, "uint32", {
      doc: "ids of the threads, the leader first; meaningless for a zombie",
    }),
  },
);
export type PstreeEntry = Value<typeof PSTREE_ENTRY>;
