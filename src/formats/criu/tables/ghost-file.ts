import { message, optional, required, type Value } from "../../../schema/message.js";
import { TIMEVAL } from "./timer.js";

export const GHOST_CHUNK_ENTRY = message(
  "ghost_chunk_entry",
  "A piece of a deleted file's contents; its bytes follow the record.",
  {
    len: required(1, "uint64", { doc: "bytes" }),
    off: required(2, "uint64", { doc: "offset of the piece in the file, in bytes" }),
  },
);
export type GhostChunkEntry = Value<typeof GHOST_CHUNK_ENTRY>;

export const GHOST_FILE_ENTRY = message(
  "ghost_file_entry",
  "A deleted file stored in the set; contents of a small regular file follow the record.",
  {
    uid: required(1, "uint32"),
    gid: required(2, "uint32"),
    mode: required(3, "uint32", { doc: "type and permissions, st_mode" }),
    dev: optional(4, "uint32", { doc: "device number in the kernel's form", show: { as: "dev" } }),
    ino: optional(5, "uint64", { doc: "inode number, which watches on the file refer to" }),
    rdev: optional(6, "uint32", {
      doc: "device number of a device file, as stat(2) gives it",
      show: { as: "odev" },
      since: "1.3",
    }),
    atim: optional(7, TIMEVAL, { doc: "time of the last access", since: "2.0" }),
    mtim: optional(8, TIMEVAL, { doc: "time of the last change", since: "2.0" }),
    chunks: optional(9, "bool", {
      doc: "the contents follow as ghost_chunk_entry records, without holes",
      since: "3.3",
    }),
    size: optional(10, "uint64", { doc: "bytes, with holes", since: "3.3" }),
    symlnk_target: optional(11, "string", {
      doc: "target of a deleted symbolic link; may be relative",
      holds: "path",
      since: "3.14",
    }),
  },
);
export type GhostFileEntry = Value<typeof GHOST_FILE_ENTRY>;
