import { SEALS } from "../../../linux/files.js";
import { message, optional, required, type Value } from "../../../schema/message.js";
import { OPEN_FLAGS } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";

export const MEMFD_FILE_ENTRY = message(
  "memfd_file_entry",
  "An open memory file; shared anonymous memory is also stored as one.",
  {
    id: required(1, "uint32", { doc: "id of the open file" }),
    flags: required(2, "uint32", { show: { as: "flags", table: OPEN_FLAGS } }),
    pos: required(3, "uint64", { doc: "offset in bytes" }),
    fown: required(4, FOWN_ENTRY),
    inode_id: required(5, "uint32", { doc: "its memfd_inode_entry" }),
  },
);
export type MemfdFileEntry = Value<typeof MEMFD_FILE_ENTRY>;

export const MEMFD_INODE_ENTRY = message("memfd_inode_entry", "A memory file and where its contents are.", {
  name: required(1, "string", {
    doc: "name given to memfd_create(2), not a path; /dev/zero is shared anonymous memory",
  }),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
  size: required(4, "uint64", { doc: "bytes" }),
  shmid: required(5, "uint32", { doc: "number in pagemap-shmem-<shmid>.img, where the contents are" }),
  seals: required(6, "uint32", {
    doc: "only F_SEAL_SEAL: it cannot be sealed",
    show: { as: "flags", table: SEALS },
    domain: SEALS,
  }),
  inode_id: required(7, "uint64"),
  hugetlb_flag: optional(8, "uint32", { doc: "MFD_HUGETLB with the size of the pages", since: "3.17" }),
  mode: optional(9, "uint32", { doc: "st_mode", since: "3.19" }),
});
export type MemfdInodeEntry = Value<typeof MEMFD_INODE_ENTRY>;
