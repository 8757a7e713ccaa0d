import { enumTable } from "../../../schema/enums.js";
import { message, optional, required, type Value } from "../../../schema/message.js";

export const REMAP_TYPE = enumTable("remap_type", {
  LINKED: 0,
  GHOST: 1,
  PROCFS: 2,
});

export const REMAP_FILE_PATH_ENTRY = message("remap_file_path_entry", "", {
  orig_id: required(1, "uint32"),
  remap_id: required(2, "uint32"),
  remap_type: optional(3, REMAP_TYPE, { since: "1.4" }),
});
export type RemapFilePathEntry = Value<typeof REMAP_FILE_PATH_ENTRY>;
