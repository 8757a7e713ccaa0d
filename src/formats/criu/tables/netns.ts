import { enumTable } from "../../../schema/enums.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { TUN_LINK_ENTRY } from "./tun.js";

export const SYSCTL_TYPE = enumTable("SysctlType", {
  CTL_STR: 5,
  CTL_32: 6,
});

export const ND_TYPE = enumTable("nd_type", {
  LOOPBACK: 1,
  VETH: 2,
  TUN: 3,
  EXTLINK: 4,
  VENET: 5,
  BRIDGE: 6,
  MACVLAN: 7,
  SIT: 8,
});

export const MACVLAN_LINK_ENTRY = message("macvlan_link_entry", "", {
  mode: required(1, "uint32"),
  flags: optional(2, "uint32"),
});
export type MacvlanLinkEntry = Value<typeof MACVLAN_LINK_ENTRY>;

export const SYSCTL_ENTRY = message("sysctl_entry", "", {
  type: required(1, SYSCTL_TYPE),
  iarg: optional(2, "int32"),
  sarg: optional(3, "string"),
});
export type SysctlEntry = Value<typeof SYSCTL_ENTRY>;

export const SIT_ENTRY = message("sit_entry", "", {
  link: optional(1, "uint32"),
  local: repeated(2, "uint32", { show: { as: "ip" }, holds: "ip-address" }),
  remote: repeated(3, "uint32", { show: { as: "ip" }, holds: "ip-address" }),
  ttl: optional(4, "uint32"),
  tos: optional(5, "uint32"),
  pmtudisc: optional(6, "bool"),
  proto: optional(7, "uint32"),
  flags: optional(8, "uint32"),
  encap_type: optional(9, "uint32"),
  encap_flags: optional(10, "uint32"),
  encap_sport: optional(11, "uint32"),
  encap_dport: optional(12, "uint32"),
  rd_prefixlen: optional(13, "uint32"),
  rd_prefix: repeated(14, "uint32", { show: { as: "ip" }, holds: "ip-address" }),
  relay_prefixlen: optional(15, "uint32"),
  relay_prefix: repeated(16, "uint32", { show: { as: "ip" }, holds: "ip-address" }),
});
export type SitEntry = Value<typeof SIT_ENTRY>;

export const NET_DEVICE_ENTRY = message("net_device_entry", "", {
  type: required(1, ND_TYPE),
  ifindex: required(2, "uint32"),
  mtu: required(3, "uint32"),
  flags: required(4, "uint32", { show: { as: "hex" } }),
  name: required(5, "string", { holds: "interface" }),
  tun: optional(6, TUN_LINK_ENTRY, { since: "0.7" }),
  address: optional(7, "bytes", { holds: "link-address", since: "0.7" }),
  conf: repeated(8, "int32", { since: "1.6", deprecated: true }),
  conf4: repeated(9, SYSCTL_ENTRY, { since: "2.3" }),
  conf6: repeated(10, SYSCTL_ENTRY, { since: "2.3" }),
  macvlan: optional(11, MACVLAN_LINK_ENTRY, { since: "2.8" }),
  peer_ifindex: optional(12, "uint32", { since: "3.8" }),
  peer_nsid: optional(13, "uint32", { since: "3.8" }),
  master: optional(14, "uint32", { since: "3.8" }),
  sit: optional(15, SIT_ENTRY, { since: "3.6" }),
});
export type NetDeviceEntry = Value<typeof NET_DEVICE_ENTRY>;

export const NETNS_ID = message("netns_id", "", {
  target_ns_id: required(1, "uint32"),
  netnsid_value: required(2, "int32"),
});
export type NetnsId = Value<typeof NETNS_ID>;

export const NETNS_ENTRY = message("netns_entry", "", {
  def_conf: repeated(1, "int32", { deprecated: true }),
  all_conf: repeated(2, "int32", { deprecated: true }),
  def_conf4: repeated(3, SYSCTL_ENTRY, { since: "2.3" }),
  all_conf4: repeated(4, SYSCTL_ENTRY, { since: "2.3" }),
  def_conf6: repeated(5, SYSCTL_ENTRY, { since: "2.3" }),
  all_conf6: repeated(6, SYSCTL_ENTRY, { since: "2.3" }),
  nsids: repeated(7, NETNS_ID, { since: "3.8" }),
  ext_key: optional(8, "string", { holds: "label", since: "3.11" }),
  unix_conf: repeated(9, SYSCTL_ENTRY, { since: "3.14" }),
  ipv4_sysctl: repeated(10, SYSCTL_ENTRY, { since: "4.1" }),
});
export type NetnsEntry = Value<typeof NETNS_ENTRY>;
