import { bytes, struct, text, word } from "../../../schema/struct.js";

export const NS_0ABE2FE = struct("NS", 16, "NS as header sets 0abe2fe to 76fcfe5 wrote it", {
  uts_objref: word("s32", 8),
  ipc_objref: word("u32", 12),
});

export const NS_C97C03D = struct("NS", 16, "NS as header sets c97c03d to c83f38b wrote it", {
  uts_objref: word("s32", 8),
  ipc_objref: word("s32", 12),
});

export const NS = struct("NS", 24, "A set of namespaces; 0 for that of the root task", {
  uts_objref: word("s32", 8),
  ipc_objref: word("s32", 12),
  net_objref: word("s32", 16),
});

export const UTS_NS = struct("UTS_NS", 400, "Host and domain name and other fields of uname(2)", {
  sysname: text(8, 65),
  nodename: text(73, 65),
  release: text(138, 65),
  version: text(203, 65),
  machine: text(268, 65),
  domainname: text(333, 65),
});

export const IPC_NS = struct("IPC_NS", 56, "Limits of System V IPC; the lists of its objects follow", {
  shm_ctlmax: word("u64", 8),
  shm_ctlall: word("u64", 16),
  shm_ctlmni: word("s32", 24),
  msg_ctlmax: word("s32", 28),
  msg_ctlmnb: word("s32", 32),
  msg_ctlmni: word("s32", 36),
  sem_ctl_msl: word("s32", 40),
  sem_ctl_mns: word("s32", 44),
  sem_ctl_opm: word("s32", 48),
  sem_ctl_mni: word("s32", 52),
});

export const NET_NS = struct("NET_NS", 16, "A network namespace; the records after it are unknown", {
  this_ref: word("s32", 8),
});

export const NETDEV_ADDR = struct("NETDEV_ADDR", 24, "An address of a device, in network byte order", {
  type: word("u16", 0),
  inet4_local: word("be32", 8),
  inet4_address: word("be32", 12),
  inet4_mask: word("be32", 16),
  inet4_broadcast: word("be32", 20),
});

export const NETDEV = struct("NETDEV", 40, "A network device; the form of its addresses is unknown", {
  netns_ref: word("s32", 8),
  this_ref: word("s32", 12, { doc: "of a veth pair; the mode of a macvlan" }),
  peer_ref: word("s32", 16, { doc: "other end of a veth pair" }),
  inet_addrs: word("u32", 20, { doc: "number of addresses" }),
  type: word("u16", 24, { doc: "0 loopback, 1 veth, 2 sit, 3 macvlan" }),
  flags: word("u16", 26),
  hwaddr: bytes(28, 6),
});
