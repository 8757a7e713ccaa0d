import { range } from "../../../io/domains.js";
import { bytes, inner, struct, word } from "../../../schema/struct.js";

/** Bytes of a sockaddr_in. */
const SOCKADDR_BYTES = range(0, 16);

export const ACK_STATE = struct("icsk_ack", 24, "Delayed acknowledgements of a TCP connection", {
  timeout: word("u64", 0),
  ato: word("u32", 8),
  lrcvtime: word("u32", 12),
  last_seg_size: word("u16", 16),
  rcv_mss: word("u16", 18),
  pending: word("u8", 20),
  quick: word("u8", 21),
  pingpong: word("u8", 22),
  blocked: word("u8", 23),
});

export const TCP_STATE = struct("tcp", 184, "A TCP connection, in fields of the kernel", {
  rcv_nxt: word("u32", 0),
  copied_seq: word("u32", 4),
  rcv_wup: word("u32", 8),
  snd_nxt: word("u32", 12),
  snd_una: word("u32", 16),
  snd_sml: word("u32", 20),
  rcv_tstamp: word("u32", 24),
  lsndtime: word("u32", 28),
  snd_wl1: word("u32", 32),
  snd_wnd: word("u32", 36),
  max_window: word("u32", 40),
  mss_cache: word("u32", 44),
  window_clamp: word("u32", 48),
  rcv_ssthresh: word("u32", 52),
  frto_highmark: word("u32", 56),
  srtt: word("u32", 60),
  mdev: word("u32", 64),
  mdev_max: word("u32", 68),
  rttvar: word("u32", 72),
  rtt_seq: word("u32", 76),
  packets_out: word("u32", 80),
  retrans_out: word("u32", 84),
  snd_up: word("u32", 88),
  rcv_wnd: word("u32", 92),
  write_seq: word("u32", 96),
  pushed_seq: word("u32", 100),
  lost_out: word("u32", 104),
  sacked_out: word("u32", 108),
  fackets_out: word("u32", 112),
  tso_deferred: word("u32", 116),
  bytes_acked: word("u32", 120),
  lost_cnt_hint: word("s32", 124),
  retransmit_high: word("u32", 128),
  lost_retrans_low: word("u32", 132),
  prior_ssthresh: word("u32", 136),
  high_seq: word("u32", 140),
  retrans_stamp: word("u32", 144),
  undo_marker: word("u32", 148),
  undo_retrans: word("s32", 152),
  total_retrans: word("u32", 156),
  urg_seq: word("u32", 160),
  keepalive_time: word("u32", 164),
  keepalive_intvl: word("u32", 168),
  urg_data: word("u16", 172),
  advmss: word("u16", 174),
  frto_counter: word("u8", 176),
  nonagle: word("u8", 177),
  ecn_flags: word("u8", 178),
  reordering: word("u8", 179),
  keepalive_probes: word("u8", 180),
});

export const INET6_ADDRESSES = struct("inet6", 48, "Addresses of an IPv6 socket", {
  saddr: bytes(0, 16),
  rcv_saddr: bytes(16, 16),
  daddr: bytes(32, 16),
});

export const SOCKET_INET_0ABE2FE = struct(
  "SOCKET_INET",
  48,
  "SOCKET_INET as header sets 0abe2fe to d55d4c8 wrote it",
  {
    laddr_len: word("u32", 8, { domain: SOCKADDR_BYTES, kept: false }),
    raddr_len: word("u32", 12, { domain: SOCKADDR_BYTES, kept: false }),
    laddr: bytes(16, 16),
    raddr: bytes(32, 16),
  },
);

export const SOCKET_INET = struct(
  "SOCKET_INET",
  328,
  "Addresses and state of an internet socket, in network byte order",
  {
    daddr: word("u32", 8),
    rcv_saddr: word("u32", 12),
    saddr: word("u32", 16),
    dport: word("u16", 20),
    num: word("u16", 22),
    sport: word("u16", 24),
    uc_ttl: word("s16", 26),
    cmsg_flags: word("u16", 28),
    icsk_ack: inner(ACK_STATE, 32),
    tcp: inner(TCP_STATE, 56),
    inet6: inner(INET6_ADDRESSES, 240),
    laddr_len: word("u32", 288, { domain: SOCKADDR_BYTES, kept: false }),
    raddr_len: word("u32", 292, { domain: SOCKADDR_BYTES, kept: false }),
    laddr: bytes(296, 16),
    raddr: bytes(312, 16),
  },
);
