import { enumTable } from "../../../io/enums.js";
import { message, optional, required, type Value } from "../../../schema/message.js";

export const REMAP_TYPE = enumTable("remap_type", {
  LINKED: 0,
  GHOST: 1,
  PROCFS: 2,
});

export const REMAP_FILE_PATH_ENTRY = message(
  "remap_file_path_entry",
  "How a path deleted at the dump is restored.",
  {
    orig_id: required(1, "uint32", { doc: "id of the open file" }),
    remap_id: required(2, "uint32", {
      doc: "number in ghost-file-<hex>.img, id of the open file for the hard link, or pid of a dead process, by remap_type",
    }),
    remap_type: optional(3, REMAP_TYPE, {
      doc: "without it the highest bit of remap_id means ghost",
      since: "1.4",
    }),
  },
);
export type RemapFilePathEntry = Value<typeof REMAP_FILE_PATH_ENTRY>;
