import { message, optional, required, type Value } from "../../../schema/message.js";

export const AUTOFS_ENTRY = message("autofs_entry", "An autofs mount: who manages it and how.", {
  fd: required(1, "int32", {
    doc: "descriptor of the manager's pipe, its writing end, in the manager's table; -1 for a mount without a manager",
  }),
  pgrp: required(2, "int32", { doc: "process group of the manager; a pid of the set" }),
  timeout: required(3, "int32", { doc: "seconds after which an unused mount is unmounted" }),
  minproto: required(4, "int32", { doc: "lowest protocol version of the manager" }),
  maxproto: required(5, "int32", { doc: "highest protocol version of the manager" }),
  mode: required(6, "int32", { doc: "0 direct, 1 indirect, 2 offset" }),
  uid: optional(7, "int32"),
  gid: optional(8, "int32"),
  read_fd: optional(9, "int32", { doc: "descriptor of the pipe's reading end, if the manager holds it" }),
});
export type AutofsEntry = Value<typeof AUTOFS_ENTRY>;
