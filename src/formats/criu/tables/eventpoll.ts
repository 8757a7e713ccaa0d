import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const EVENTPOLL_TFD_ENTRY = message("eventpoll_tfd_entry", "", {
  id: required(1, "uint32"),
  tfd: required(2, "uint32"),
  events: required(3, "uint32"),
  data: required(4, "uint64"),
  dev: optional(5, "uint32", { since: "3.11" }),
  inode: optional(6, "uint64", { since: "3.11" }),
  pos: optional(7, "uint64", { since: "3.11" }),
});
export type EventpollTfdEntry = Value<typeof EVENTPOLL_TFD_ENTRY>;

export const EVENTPOLL_FILE_ENTRY = message("eventpoll_file_entry", "", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  fown: required(3, FOWN_ENTRY),
  tfd: repeated(4, EVENTPOLL_TFD_ENTRY, { since: "1.4" }),
});
export type EventpollFileEntry = Value<typeof EVENTPOLL_FILE_ENTRY>;
