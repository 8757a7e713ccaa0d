import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { StreamDraft } from "./draft.js";

/** A SOCKET_INET and the SOCKET that it belongs to. */
export interface InetSocket {
  readonly index: number;
  readonly socket: number;
}

/** The internet sockets that are still there. */
export function* inetSockets(draft: StreamDraft): Generator<InetSocket> {
  for (const part of draft.reader.objects("SOCK")) {
    const index = draft.reader.index(part, RECORDS.SOCKET_INET);
    const socket = draft.reader.index(part, RECORDS.SOCKET);
    if (index !== undefined && socket !== undefined && !draft.isDropped(index)) yield { index, socket };
  }
}

/** The u16 that a field of the image reads as when its bytes are this number in network order. */
export function networkWord({ image }: StreamDraft, port: number): number {
  return image.byteOrder === "big-endian" ? port : ((port & 0xff) << 8) | (port >> 8);
}

/** A sockaddr_in with another port. */
export function withPort(address: Buffer, port: number): Buffer {
  const fresh = Buffer.from(address);
  fresh.writeUInt16BE(port, 2);
  return fresh;
}
