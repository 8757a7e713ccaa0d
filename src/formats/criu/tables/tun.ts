import { message, optional, required, type Value } from "../../../schema/message.js";

export const TUN_LINK_ENTRY = message("tun_link_entry", "Settings of a tun or tap device.", {
  flags: required(1, "uint32", { doc: "IFF_TUN, IFF_TAP and other IFF_* bits", show: { as: "hex" } }),
  owner: required(2, "int32", { doc: "user that may use it, -1 for any" }),
  group: required(3, "int32", { doc: "group that may use it, -1 for any" }),
  vnethdr: required(4, "uint32", { doc: "bytes of the header before each packet" }),
  sndbuf: required(5, "uint32", { doc: "bytes" }),
});
export type TunLinkEntry = Value<typeof TUN_LINK_ENTRY>;

export const TUNFILE_ENTRY = message("tunfile_entry", "An open /dev/net/tun.", {
  id: required(1, "uint32", { doc: "id of the open file; a reg_file_entry with the same id has its path" }),
  netdev: optional(2, "string", { doc: "device that it is attached to", holds: "interface" }),
  detached: optional(3, "bool", { doc: "its queue is detached" }),
  ns_id: optional(4, "uint32", { doc: "network namespace", since: "3.9" }),
});
export type TunfileEntry = Value<typeof TUNFILE_ENTRY>;
