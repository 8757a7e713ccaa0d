import type { CriuImage, PayloadRange } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { TcpStreamEntry } from "../../formats/criu/tables/sk-inet.js";
import type { SkPacketEntry } from "../../formats/criu/tables/sk-queue.js";
import type { SourceRange } from "../../io/concat.js";
import { SCM_RIGHTS } from "../../linux/sockets.js";
import { type Packet, sizeOf, type TcpConnection } from "../socket.js";
import { stored } from "./socket-options.js";

/** The connection of an internet socket; undefined in sets that were dumped to close their connections. */
export function connectionOf(set: CriuImageSet, inode: number): TcpConnection | undefined {
  const image = set.image(IMAGES.TCP_STREAM, inode);
  for (const { value, payload, index } of image?.readRecords() ?? [])
    return decodeConnection(value, {
      origin: { image: image?.fileName ?? "", record: index },
      received: rangesOf(image as CriuImage, payload[0]),
      unsent: rangesOf(image as CriuImage, payload[1]),
    });
  return undefined;
}

export function decodeConnection(
  entry: TcpStreamEntry,
  more: Pick<TcpConnection, "origin" | "received" | "unsent">,
): TcpConnection {
  const { snd_wl1, snd_wnd = 0, max_window = 0, rcv_wnd = 0, rcv_wup = 0 } = entry;
  return {
    receivedSequence: entry.inq_seq,
    writtenSequence: entry.outq_seq,
    optionMask: entry.opt_mask,
    sendScale: entry.snd_wscale,
    receiveScale: entry.rcv_wscale,
    segment: entry.mss_clamp,
    timestamp: entry.timestamp,
    neverSent: entry.unsq_len,
    windows: snd_wl1 === undefined ? undefined : { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup },
    ...more,
  };
}

export function encodeConnection(connection: TcpConnection): TcpStreamEntry {
  const { receiveScale, timestamp, neverSent, windows } = connection;
  return {
    inq_len: sizeOf(connection.received),
    inq_seq: connection.receivedSequence,
    outq_len: sizeOf(connection.unsent),
    outq_seq: connection.writtenSequence,
    opt_mask: connection.optionMask,
    snd_wscale: connection.sendScale,
    mss_clamp: connection.segment,
    ...stored({ rcv_wscale: receiveScale, timestamp, unsq_len: neverSent }),
    ...windows,
  };
}

/** What a packet says besides its bytes: `idOf` gives the id of an open file that travels with it. */
export function encodePacket(
  { data, files }: Packet,
  receiver: number,
  idOf: (file: number) => number,
): SkPacketEntry {
  const scm = files.length === 0 ? [] : [{ type: SCM_RIGHTS, rights: files.map(idOf) }];
  return { id_for: receiver, length: sizeOf(data), scm };
}

const packetsBySet = new WeakMap<CriuImageSet, ReadonlyMap<number, readonly Packet[]>>();

/** What waits to be read from a unix socket, by the id of its open file. */
export function packetsOf(set: CriuImageSet, file: number): readonly Packet[] {
  let all = packetsBySet.get(set);
  if (all === undefined) {
    all = readPackets(set);
    packetsBySet.set(set, all);
  }
  return all.get(file) ?? [];
}

function readPackets(set: CriuImageSet): ReadonlyMap<number, readonly Packet[]> {
  const packets = new Map<number, Packet[]>();
  const image = set.image(IMAGES.SK_QUEUES);
  for (const { value, payload } of image?.heldRecords() ?? []) {
    const packet = {
      data: rangesOf(image as CriuImage, payload[0]),
      files: value.scm.flatMap(({ type, rights }) => (type === SCM_RIGHTS ? rights : [])),
      control: value.scm.flatMap(({ type }) => (type === SCM_RIGHTS ? [] : [type])),
    };
    const list = packets.get(value.id_for);
    if (list === undefined) packets.set(value.id_for, [packet]);
    else list.push(packet);
  }
  return packets;
}

function rangesOf(image: CriuImage, payload: PayloadRange | undefined): readonly SourceRange[] {
  return payload === undefined ? [] : [{ source: image.source, offset: payload.offset, size: payload.size }];
}
