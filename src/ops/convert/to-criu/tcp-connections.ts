import { IMAGES } from "../../../formats/criu/images.js";
import { TCP_STREAM_ENTRY } from "../../../formats/criu/tables/sk-inet.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { ToCriu } from "./context.js";
import { packetData, queuesOf, sizeOf } from "./packets.js";

/** TCP_EXTRA.flags: which fields are stored, there and in SOCKET_INET.tcp. */
const STORED = { receiveScale: 1, timestamp: 2, windows: 4, neverSent: 8 } as const;

/** Writes tcp-stream-INO.img. False when the stream does not hold what TCP_REPAIR needs. */
export function writeConnection(context: ToCriu, part: Part, ino: number): boolean {
  const { reader, set } = context;
  const extra = reader.find(part, RECORDS.TCP_EXTRA)?.value;
  const { tcp } = reader.get(part, RECORDS.SOCKET_INET).value;
  if (extra === undefined || tcp === undefined) return false;
  const [received, unsent] = queuesOf(part).map((packets) =>
    packets.flatMap((packet) => packetData(context, packet)),
  );
  const has = (flag: number): boolean => (extra.flags & flag) !== 0;
  const { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup } = tcp;
  set.add(
    IMAGES.TCP_STREAM,
    ino,
    TCP_STREAM_ENTRY,
    {
      inq_len: sizeOf(received ?? []),
      inq_seq: tcp.rcv_nxt,
      outq_len: sizeOf(unsent ?? []),
      outq_seq: tcp.write_seq,
      opt_mask: extra.opt_mask,
      snd_wscale: extra.snd_wscale,
      mss_clamp: extra.mss_clamp,
      ...(has(STORED.receiveScale) ? { rcv_wscale: extra.rcv_wscale } : {}),
      ...(has(STORED.timestamp) ? { timestamp: extra.timestamp } : {}),
      ...(has(STORED.neverSent) ? { unsq_len: (tcp.write_seq - tcp.snd_nxt) >>> 0 } : {}),
      ...(has(STORED.windows) ? { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup } : {}),
    },
    [...(received ?? []), ...(unsent ?? [])],
  );
  return true;
}
