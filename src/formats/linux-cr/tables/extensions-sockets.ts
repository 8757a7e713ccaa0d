import { BOOLEAN, range } from "../../../io/domains.js";
import { PACKET_VERSIONS, WINDOW_SCALES } from "../../../linux/sockets.js";
import { struct, word } from "../../../schema/struct.js";

export const TCP_EXTRA = struct(
  "TCP_EXTRA",
  32,
  "Additional state of a TCP connection, for TCP_REPAIR, tcp(7)",
  {
    opt_mask: word("u32", 8, {
      doc: "negotiated options: 1 timestamps, 2 selective acknowledgements, 4 window scaling",
      show: { as: "hex" },
    }),
    snd_wscale: word("u32", 12, { doc: "window scale of the peer", domain: WINDOW_SCALES }),
    rcv_wscale: word("u32", 16, { doc: "local window scale", domain: WINDOW_SCALES }),
    mss_clamp: word("u32", 20, { doc: "largest segment in bytes" }),
    timestamp: word("u32", 24, { doc: "value of the timestamp clock" }),
    flags: word("u32", 28, {
      doc: "which are stored: 1 rcv_wscale, 2 timestamp, 4 tcp.snd_wl1, snd_wnd, max_window, rcv_wnd and rcv_wup, 8 tcp.snd_nxt",
      show: { as: "hex" },
      domain: range(0, 15),
      kept: false,
    }),
  },
);

export const PACKET_RIGHTS = struct(
  "PACKET_RIGHTS",
  16,
  "Descriptors sent with the preceding message, unix(7) SCM_RIGHTS: objrefs of FILEs",
  {
    nr_files: word("u32", 8, { doc: "objrefs after the fields", domain: range(1, 0xffff_ffff), kept: false }),
  },
);

export const SOCKET_NETLINK = struct("SOCKET_NETLINK", 32, "A netlink(7) socket, instead of SOCKET_INET", {
  portid: word("u32", 8, { doc: "local port id" }),
  groups: word("u32", 12, { doc: "multicast groups as a mask", show: { as: "hex" } }),
  dst_portid: word("u32", 16, { doc: "remote port id, 0 for the kernel" }),
  dst_group: word("u32", 20, { doc: "multicast group that it sends to" }),
  flags: word("u32", 24, { doc: "1: groups are stored", show: { as: "hex" }, domain: BOOLEAN, kept: false }),
});

export const SOCKET_PACKET = struct("SOCKET_PACKET", 40, "A packet(7) socket, instead of SOCKET_INET", {
  protocol: word("u32", 8, { doc: "ETH_P number in network byte order, as socket(2) takes it" }),
  ifindex: word("u32", 12, { doc: "device, 0 for all" }),
  version: word("u32", 16, {
    doc: "layout of the ring: 0 to 2 for TPACKET_V1 to V3",
    domain: PACKET_VERSIONS,
  }),
  reserve: word("u32", 20, { doc: "bytes of headroom in each frame" }),
  timestamp: word("u32", 24, { doc: "PACKET_TIMESTAMP value" }),
  copy_thresh: word("u32", 28, { doc: "size above which packets are also queued" }),
  fanout: word("u32", 32, { doc: "PACKET_FANOUT value" }),
  flags: word("u32", 36, {
    doc: "1 PACKET_AUXDATA, 2 PACKET_ORIGDEV, 4 PACKET_VNET_HDR, 8 PACKET_LOSS, 16 fanout is stored",
    show: { as: "hex" },
    domain: range(0, 31),
    kept: false,
  }),
});
