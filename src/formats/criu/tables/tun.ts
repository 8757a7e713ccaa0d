import { message, optional, required, type Value } from "../../../schema/message.js";

export const TUN_LINK_ENTRY = message("tun_link_entry", "", {
  flags: required(1, "uint32", { show: { as: "hex" } }),
  owner: required(2, "int32"),
  group: required(3, "int32"),
  vnethdr: required(4, "uint32"),
  sndbuf: required(5, "uint32"),
});
export type TunLinkEntry = Value<typeof TUN_LINK_ENTRY>;

export const TUNFILE_ENTRY = message("tunfile_entry", "", {
  id: required(1, "uint32"),
  netdev: optional(2, "string", { holds: "interface" }),
  detached: optional(3, "bool"),
  ns_id: optional(4, "uint32", { since: "3.9" }),
});
export type TunfileEntry = Value<typeof TUNFILE_ENTRY>;
