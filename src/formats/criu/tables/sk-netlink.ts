import { NETLINK_STATES } from "../../../linux/sockets.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";
import { SK_OPTS_ENTRY } from "./sk-opts.js";

export const NETLINK_SK_ENTRY = message("netlink_sk_entry", "A netlink socket.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  ino: required(2, "uint32", { doc: "inode number" }),
  protocol: required(3, "uint32", { doc: "NETLINK_* number" }),
  state: required(4, "uint32", { domain: NETLINK_STATES }),
  flags: required(6, "uint32", { show: { as: "hex" } }),
  portid: required(7, "uint32", { doc: "local port id" }),
  groups: repeated(8, "uint32", { doc: "multicast groups as a mask, at most one word" }),
  dst_portid: required(9, "uint32", { doc: "remote port id, 0 for the kernel" }),
  dst_group: required(10, "uint32", { doc: "multicast group that it sends to" }),
  fown: required(11, FOWN_ENTRY),
  opts: required(12, SK_OPTS_ENTRY),
  ns_id: optional(13, "uint32", { doc: "network namespace", since: "3.8" }),
});
export type NetlinkSkEntry = Value<typeof NETLINK_SK_ENTRY>;
