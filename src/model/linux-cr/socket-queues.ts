import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { SourceRange } from "../../io/concat.js";
import { type Packet, type SocketQueue, sizeOf, type TcpConnection } from "../socket.js";
import type { StreamReader } from "./reader.js";

/** The packets of a socket's two queues: what was received, then what is to be sent. */
export function queuesOf(part: Part): readonly [received: readonly Part[], unsent: readonly Part[]] {
  const [received, unsent] = part.deferred?.parts ?? [];
  return [received?.parts ?? [], unsent?.parts ?? []];
}

export function queued(reader: StreamReader, part: Part, isTcp: boolean): SocketQueue | undefined {
  const [received, unsent] = (part.deferred?.parts ?? []).map(
    (queue) => reader.get(queue, RECORDS.SOCKET_QUEUE).value,
  );
  if (received === undefined) return undefined;
  return {
    received: received.total_bytes,
    unsent: unsent?.total_bytes ?? 0,
    packets: isTcp ? undefined : received.skb_count,
  };
}

/** A packet with its data read when they are asked for. */
export function decodePacket(reader: StreamReader, packet: Part): Packet {
  const rights = reader.index(packet, RECORDS.PACKET_RIGHTS);
  return {
    get data() {
      return dataOf(reader, packet);
    },
    files: rights === undefined ? [] : reader.image.numbers(rights),
    control: [],
  };
}

/**
 * The linear part from `data_offset` on, then what fragments use of their pages. Errors: FormatError for a fragment that
 * leaves its page.
 */
function dataOf(reader: StreamReader, packet: Part): SourceRange[] {
  const { image } = reader;
  const { value: head } = reader.get(packet, RECORDS.SOCKET_BUFFER);
  const linear = image.payload(reader.get(packet, RECORDS.BUFFER).index);
  const skip = Math.min(head.data_offset ?? 0, linear.size);
  const data = [{ source: image.source, offset: linear.offset + skip, size: linear.size - skip }];
  for (const fragment of packet.parts) {
    const { index, value } = reader.get(fragment, RECORDS.SOCKET_FRAG);
    const page = image.rawPage(index);
    if (page === undefined || value.offset + value.size > page.size)
      throw image.error(index, `a fragment of ${value.size} bytes at ${value.offset} does not fit its page`);
    data.push({ source: image.source, offset: page.offset + value.offset, size: value.size });
  }
  return data;
}

/** Undefined when the stream does not hold what TCP_REPAIR needs. */
export function decodeConnection(reader: StreamReader, part: Part): TcpConnection | undefined {
  const extra = reader.find(part, RECORDS.TCP_EXTRA);
  const { tcp } = reader.get(part, RECORDS.SOCKET_INET).value;
  if (extra === undefined || tcp === undefined) return undefined;
  const { flags, opt_mask, snd_wscale, rcv_wscale, mss_clamp, timestamp } = extra.value;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup } = tcp;
  const [received, unsent] = queuesOf(part).map((packets) =>
    packets.flatMap((packet) => decodePacket(reader, packet).data),
  );
  return {
    receivedSequence: tcp.rcv_nxt,
    writtenSequence: tcp.write_seq,
    optionMask: opt_mask,
    sendScale: snd_wscale,
    receiveScale: has(TCP_STORED.receiveScale) ? rcv_wscale : undefined,
    segment: mss_clamp,
    timestamp: has(TCP_STORED.timestamp) ? timestamp : undefined,
    neverSent: has(TCP_STORED.neverSent) ? (tcp.write_seq - tcp.snd_nxt) >>> 0 : undefined,
    windows: has(TCP_STORED.windows) ? { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup } : undefined,
    received: received ?? [],
    unsent: unsent ?? [],
    origin: reader.origin(extra.index),
  };
}

/** SOCKET_INET.tcp: the kernel's own sequence numbers and windows. */
export function encodeTcp(connection: TcpConnection): Readonly<Record<string, unknown>> {
  const { receivedSequence, writtenSequence, neverSent = 0, windows } = connection;
  return {
    rcv_nxt: receivedSequence,
    copied_seq: (receivedSequence - sizeOf(connection.received)) >>> 0,
    snd_nxt: (writtenSequence - neverSent) >>> 0,
    snd_una: (writtenSequence - sizeOf(connection.unsent)) >>> 0,
    write_seq: writtenSequence,
    mss_cache: connection.segment,
    ...windows,
  };
}

export function encodeTcpExtra(connection: TcpConnection): Readonly<Record<string, unknown>> {
  const { receiveScale, timestamp, neverSent, windows } = connection;
  const has = (value: unknown, flag: number): number => (value === undefined ? 0 : flag);
  return {
    opt_mask: connection.optionMask,
    snd_wscale: connection.sendScale,
    rcv_wscale: receiveScale ?? 0,
    mss_clamp: connection.segment,
    timestamp: timestamp ?? 0,
    flags:
      has(receiveScale, TCP_STORED.receiveScale) |
      has(timestamp, TCP_STORED.timestamp) |
      has(windows, TCP_STORED.windows) |
      has(neverSent, TCP_STORED.neverSent),
  };
}

/** TCP_EXTRA.flags: which fields are stored, there and in SOCKET_INET.tcp. */
const TCP_STORED = { receiveScale: 1, timestamp: 2, windows: 4, neverSent: 8 } as const;
