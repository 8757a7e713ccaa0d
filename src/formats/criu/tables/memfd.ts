import { message, optional, required, type Value } from "../../../schema/message.js";
import { OPEN_FLAGS, SEALS } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";

export const MEMFD_FILE_ENTRY = message("memfd_file_entry", "", {
  id: required(1, "uint32"),
  flags: required(2, "uint32", { show: { as: "flags", table: OPEN_FLAGS } }),
  pos: required(3, "uint64"),
  fown: required(4, FOWN_ENTRY),
  inode_id: required(5, "uint32"),
});
export type MemfdFileEntry = Value<typeof MEMFD_FILE_ENTRY>;

export const MEMFD_INODE_ENTRY = message("memfd_inode_entry", "", {
  name: required(1, "string"),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
  size: required(4, "uint64"),
  shmid: required(5, "uint32"),
  seals: required(6, "uint32", { show: { as: "flags", table: SEALS } }),
  inode_id: required(7, "uint64"),
  hugetlb_flag: optional(8, "uint32", { since: "3.17" }),
  mode: optional(9, "uint32", { since: "3.19" }),
});
export type MemfdInodeEntry = Value<typeof MEMFD_INODE_ENTRY>;
