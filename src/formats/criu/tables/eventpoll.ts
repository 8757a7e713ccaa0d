import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const EVENTPOLL_TFD_ENTRY = message("eventpoll_tfd_entry", "One descriptor watched by an epoll.", {
  id: required(1, "uint32", { doc: "0; in old sets the id of the epoll file" }),
  tfd: required(2, "uint32", {
    doc: "number of the descriptor in the table of the task with the epoll",
  }),
  events: required(3, "uint32", { doc: "EPOLL* bits" }),
  data: required(4, "uint64", { doc: "user data returned by epoll_wait(2)" }),
  dev: optional(5, "uint32", {
    doc: "device of the watched file, to find it if the descriptor was reused",
    since: "3.11",
  }),
  inode: optional(6, "uint64", { doc: "inode of the watched file", since: "3.11" }),
  pos: optional(7, "uint64", { doc: "offset of the watched file", since: "3.11" }),
});
export type EventpollTfdEntry = Value<typeof EVENTPOLL_TFD_ENTRY>;

export const EVENTPOLL_FILE_ENTRY = message(
  "eventpoll_file_entry",
  "An epoll with its watched descriptors.",
  {
    id: required(1, "uint32", { doc: "id of the open file" }),
    flags: required(2, "uint32"),
    fown: required(3, FOWN_ENTRY),
    tfd: repeated(4, EVENTPOLL_TFD_ENTRY, { since: "1.4" }),
  },
);
export type EventpollFileEntry = Value<typeof EVENTPOLL_FILE_ENTRY>;
