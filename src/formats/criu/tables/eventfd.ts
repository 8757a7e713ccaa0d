import { EVENTFD_COUNTER } from "../../../linux/files.js";
import { message, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const EVENTFD_FILE_ENTRY = message("eventfd_file_entry", "An eventfd.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  flags: required(2, "uint32"),
  fown: required(3, FOWN_ENTRY),
  counter: required(4, "uint64", { doc: "value that a read would give", domain: EVENTFD_COUNTER }),
});
export type EventfdFileEntry = Value<typeof EVENTFD_FILE_ENTRY>;
