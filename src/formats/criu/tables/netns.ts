import { enumTable } from "../../../io/enums.js";
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

export const MACVLAN_LINK_ENTRY = message("macvlan_link_entry", "Settings of a macvlan device.", {
  mode: required(1, "uint32", { doc: "MACVLAN_MODE_* number" }),
  flags: optional(2, "uint32", { doc: "MACVLAN_FLAG_* bits" }),
});
export type MacvlanLinkEntry = Value<typeof MACVLAN_LINK_ENTRY>;

export const SYSCTL_ENTRY = message(
  "sysctl_entry",
  "One value of a list of sysctls, identified by its position.",
  {
    type: required(1, SYSCTL_TYPE),
    iarg: optional(2, "int32", { doc: "value of type CTL_32" }),
    sarg: optional(3, "string", { doc: "value of type CTL_STR" }),
  },
);
export type SysctlEntry = Value<typeof SYSCTL_ENTRY>;

export const SIT_ENTRY = message("sit_entry", "Settings of a tunnel of IPv6 in IPv4.", {
  link: optional(1, "uint32", { doc: "index of the device below, 0 for any" }),
  local: repeated(2, "uint32", {
    doc: "local address, network byte order in memory",
    show: { as: "ip" },
    holds: "ip-address",
  }),
  remote: repeated(3, "uint32", {
    doc: "remote address, network byte order in memory",
    show: { as: "ip" },
    holds: "ip-address",
  }),
  ttl: optional(4, "uint32", { doc: "0 for that of the inner packet" }),
  tos: optional(5, "uint32"),
  pmtudisc: optional(6, "bool"),
  proto: optional(7, "uint32", { doc: "IP protocol number of the inner packets" }),
  flags: optional(8, "uint32"),
  encap_type: optional(9, "uint32"),
  encap_flags: optional(10, "uint32"),
  encap_sport: optional(11, "uint32", { doc: "source port of the encapsulation" }),
  encap_dport: optional(12, "uint32", { doc: "destination port of the encapsulation" }),
  rd_prefixlen: optional(13, "uint32", { doc: "bits of the 6rd prefix" }),
  rd_prefix: repeated(14, "uint32", {
    doc: "6rd prefix, network byte order in memory",
    show: { as: "ip" },
    holds: "ip-address",
  }),
  relay_prefixlen: optional(15, "uint32", { doc: "bits of the relay prefix" }),
  relay_prefix: repeated(16, "uint32", {
    doc: "relay prefix, network byte order in memory",
    show: { as: "ip" },
    holds: "ip-address",
  }),
});
export type SitEntry = Value<typeof SIT_ENTRY>;

export const NET_DEVICE_ENTRY = message("net_device_entry", "One network device of a network namespace.", {
  type: required(1, ND_TYPE),
  ifindex: required(2, "uint32", { doc: "number of the device, kept by a restore" }),
  mtu: required(3, "uint32"),
  flags: required(4, "uint32", { doc: "IFF_* bits", show: { as: "hex" } }),
  name: required(5, "string", { holds: "interface" }),
  tun: optional(6, TUN_LINK_ENTRY, { since: "0.7" }),
  address: optional(7, "bytes", { doc: "link-layer address", holds: "link-address", since: "0.7" }),
  conf: repeated(8, "int32", { since: "1.6", deprecated: true }),
  conf4: repeated(9, SYSCTL_ENTRY, { doc: "values of net.ipv4.conf.<device> in criu's order", since: "2.3" }),
  conf6: repeated(10, SYSCTL_ENTRY, {
    doc: "values of net.ipv6.conf.<device> in criu's order",
    since: "2.3",
  }),
  macvlan: optional(11, MACVLAN_LINK_ENTRY, { since: "2.8" }),
  peer_ifindex: optional(12, "uint32", { doc: "device at the other end of a veth pair", since: "3.8" }),
  peer_nsid: optional(13, "uint32", { doc: "network namespace of the other end", since: "3.8" }),
  master: optional(14, "uint32", { doc: "ifindex of its bridge", since: "3.8" }),
  sit: optional(15, SIT_ENTRY, { since: "3.6" }),
});
export type NetDeviceEntry = Value<typeof NET_DEVICE_ENTRY>;

export const NETNS_ID = message("netns_id", "The id of one network namespace in another.", {
  target_ns_id: required(1, "uint32", { doc: "id of the other namespace in the set" }),
  netnsid_value: required(2, "int32", { doc: "the number" }),
});
export type NetnsId = Value<typeof NETNS_ID>;

export const NETNS_ENTRY = message(
  "netns_entry",
  "Settings of a network namespace; each list is in criu's order of sysctls.",
  {
    def_conf: repeated(1, "int32", { deprecated: true }),
    all_conf: repeated(2, "int32", { deprecated: true }),
    def_conf4: repeated(3, SYSCTL_ENTRY, { doc: "net.ipv4.conf.default", since: "2.3" }),
    all_conf4: repeated(4, SYSCTL_ENTRY, { doc: "net.ipv4.conf.all", since: "2.3" }),
    def_conf6: repeated(5, SYSCTL_ENTRY, { doc: "net.ipv6.conf.default", since: "2.3" }),
    all_conf6: repeated(6, SYSCTL_ENTRY, { doc: "net.ipv6.conf.all", since: "2.3" }),
    nsids: repeated(7, NETNS_ID, { since: "3.8" }),
    ext_key: optional(8, "string", {
      doc: "key for --inherit-fd of an external namespace, for which nothing else is restored",
      holds: "label",
      since: "3.11",
    }),
    unix_conf: repeated(9, SYSCTL_ENTRY, { doc: "net.unix", since: "3.14" }),
    ipv4_sysctl: repeated(10, SYSCTL_ENTRY, { doc: "other values below net.ipv4", since: "4.1" }),
  },
);
export type NetnsEntry = Value<typeof NETNS_ENTRY>;
