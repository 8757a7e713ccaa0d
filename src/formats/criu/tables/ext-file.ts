import { message, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const EXT_FILE_ENTRY = message("ext_file_entry", "", {
  id: required(1, "uint32"),
  fown: required(5, FOWN_ENTRY),
});
export type ExtFileEntry = Value<typeof EXT_FILE_ENTRY>;
