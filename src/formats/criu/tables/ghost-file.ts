import { message, optional, required, type Value } from "../../../schema/message.js";
import { TIMEVAL } from "./timer.js";

export const GHOST_CHUNK_ENTRY = message("ghost_chunk_entry", "", {
  len: required(1, "uint64"),
  off: required(2, "uint64"),
});
export type GhostChunkEntry = Value<typeof GHOST_CHUNK_ENTRY>;

export const GHOST_FILE_ENTRY = message("ghost_file_entry", "", {
  uid: required(1, "uint32"),
  gid: required(2, "uint32"),
  mode: required(3, "uint32"),
  dev: optional(4, "uint32", { show: { as: "dev" } }),
  ino: optional(5, "uint64"),
  rdev: optional(6, "uint32", { show: { as: "odev" }, since: "1.3" }),
  atim: optional(7, TIMEVAL, { since: "2.0" }),
  mtim: optional(8, TIMEVAL, { since: "2.0" }),
  chunks: optional(9, "bool", { since: "3.3" }),
  size: optional(10, "uint64", { since: "3.3" }),
  symlnk_target: optional(11, "string", { holds: "path", since: "3.14" }),
});
export type GhostFileEntry = Value<typeof GHOST_FILE_ENTRY>;
