import { message, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const EXT_FILE_ENTRY = message(
  "ext_file_entry",
  "An open file handled by a plugin; its contents are in an image of the plugin.",
  {
    id: required(1, "uint32", { doc: "id of the open file, by which the plugin names its image" }),
    fown: required(5, FOWN_ENTRY),
  },
);
export type ExtFileEntry = Value<typeof EXT_FILE_ENTRY>;
