import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { OPEN_FLAGS } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";

export const REG_FILE_ENTRY = message(
  "reg_file_entry",
  "An open file with a path: regular files, directories, devices, executables, mapped files.",
  {
    id: required(1, "uint32", { doc: "id of the open file" }),
    flags: required(2, "uint32", {
      doc: "open flags, as returned by fcntl(2) F_GETFL",
      show: { as: "flags", table: OPEN_FLAGS },
    }),
    pos: required(3, "uint64", { doc: "offset in bytes; all ones: do not seek" }),
    fown: required(5, FOWN_ENTRY),
    name: required(6, "string", {
      doc: "absolute path in the mount namespace; for ext a key file[MOUNT:INODE]",
      holds: "path",
    }),
    mnt_id: optional(7, "sint32", {
      doc: "mount of the path; -1 for the root of the restore",
      default: -1,
      since: "1.3-rc1",
    }),
    size: optional(8, "uint64", {
      doc: "size at the dump; a restore fails if it has changed",
      since: "1.3",
    }),
    ext: optional(9, "bool", {
      doc: "not opened, but passed in at the restore by the key in name",
      since: "2.0",
    }),
    mode: optional(10, "uint32", {
      doc: "st_mode at the dump; a restore fails if it has changed",
      since: "2.4",
    }),
    build_id: repeated(11, "uint32", {
      doc: "GNU build id of an ELF file, bytes in words in memory order, zero-padded; a restore fails if it has changed",
      since: "3.15",
    }),
    checksum: optional(12, "uint32", { doc: "never written", since: "3.15" }),
    checksum_config: optional(13, "uint32", { doc: "never written", since: "3.15" }),
    checksum_parameter: optional(14, "uint32", { doc: "never written", since: "3.15" }),
  },
);
export type RegFileEntry = Value<typeof REG_FILE_ENTRY>;
