import type { CriuImage } from "../../../formats/criu/image.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { TcpStreamEntry } from "../../../formats/criu/tables/sk-inet.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { SourceRange } from "../../../io/concat.js";
import type { Context } from "./context.js";
import { rangeOf } from "./source-files.js";

/** A TCP connection with both its queues. */
export interface TcpConnection {
  readonly entry: TcpStreamEntry;
  /** Bytes received and not read. */
  readonly received: SourceRange;
  /** Bytes sent and not acknowledged, then those that were never sent. */
  readonly unsent: SourceRange;
}

/** TCP_EXTRA.flags: which fields are stored, there and in SOCKET_INET.tcp. */
const STORED = { receiveScale: 1, timestamp: 2, windows: 4, neverSent: 8 } as const;

/** Bytes of a SOCKET_BUFFER at most: a reader holds a record in memory. */
const PACKET_BYTES = 1024 * 1024;

/** The connection of a socket; undefined when the set was dumped to close it. */
export function connectionOf({ set }: Context, ino: number): TcpConnection | undefined {
  const image = set.image(IMAGES.TCP_STREAM, ino);
  const [record] = image?.records() ?? [];
  if (record === undefined) return undefined;
  const [received, unsent] = record.payload.map((range) => rangeOf(image as CriuImage, range));
  const none = rangeOf(image as CriuImage, undefined);
  return { entry: record.value as TcpStreamEntry, received: received ?? none, unsent: unsent ?? none };
}

/** What SOCKET_INET.tcp says of it: the kernel's own sequence numbers and windows. */
export function connectionFields({ entry }: TcpConnection): Readonly<Record<string, number>> {
  const { inq_seq: received, inq_len: unread, outq_seq: written, outq_len: unacknowledged } = entry;
  return {
    rcv_nxt: received,
    copied_seq: (received - unread) >>> 0,
    rcv_wup: entry.rcv_wup ?? 0,
    snd_nxt: (written - (entry.unsq_len ?? 0)) >>> 0,
    snd_una: (written - unacknowledged) >>> 0,
    snd_wl1: entry.snd_wl1 ?? 0,
    snd_wnd: entry.snd_wnd ?? 0,
    max_window: entry.max_window ?? 0,
    mss_cache: entry.mss_clamp,
    rcv_wnd: entry.rcv_wnd ?? 0,
    write_seq: written,
  };
}

export function writeTcpExtra({ writer }: Pick<Context, "writer">, { entry }: TcpConnection): void {
  const has = (value: number | undefined, flag: number): number => (value === undefined ? 0 : flag);
  writer.record(RECORDS.TCP_EXTRA, {
    opt_mask: entry.opt_mask,
    snd_wscale: entry.snd_wscale,
    rcv_wscale: entry.rcv_wscale ?? 0,
    mss_clamp: entry.mss_clamp,
    timestamp: entry.timestamp ?? 0,
    flags:
      has(entry.rcv_wscale, STORED.receiveScale) |
      has(entry.timestamp, STORED.timestamp) |
      has(entry.snd_wl1, STORED.windows) |
      has(entry.unsq_len, STORED.neverSent),
  });
}

/** SOCKET_QUEUE with the bytes of one direction. */
export function writeByteQueue(
  { writer }: Pick<Context, "writer">,
  objref: number,
  data: SourceRange | undefined,
): void {
  const size = data?.size ?? 0;
  const count = Math.ceil(size / PACKET_BYTES);
  writer.record(RECORDS.SOCKET_QUEUE, { skb_count: count, total_bytes: size });
  for (let at = 0; data !== undefined && at < size; at += PACKET_BYTES) {
    const length = Math.min(PACKET_BYTES, size - at);
    writer.record(RECORDS.SOCKET_BUFFER, { lin_len: length, skb_len: length, pr_objref: objref });
    writer.buffer({ source: data.source, offset: data.offset + at, size: length });
  }
}
