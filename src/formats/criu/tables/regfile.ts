import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { OPEN_FLAGS } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";

export const REG_FILE_ENTRY = message("reg_file_entry", "", {
  id: required(1, "uint32"),
  flags: required(2, "uint32", { show: { as: "flags", table: OPEN_FLAGS } }),
  pos: required(3, "uint64"),
  fown: required(5, FOWN_ENTRY),
  name: required(6, "string", { holds: "path" }),
  mnt_id: optional(7, "sint32", { default: -1, since: "1.3-rc1" }),
  size: optional(8, "uint64", { since: "1.3" }),
  ext: optional(9, "bool", { since: "2.0" }),
  mode: optional(10, "uint32", { since: "2.4" }),
  build_id: repeated(11, "uint32", { since: "3.15" }),
  checksum: optional(12, "uint32", { since: "3.15" }),
  checksum_config: optional(13, "uint32", { since: "3.15" }),
  checksum_parameter: optional(14, "uint32", { since: "3.15" }),
});
export type RegFileEntry = Value<typeof REG_FILE_ENTRY>;
