import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { SourceRange } from "../../../io/concat.js";
import type { ToCriu } from "./context.js";

/** The packets of a socket's two queues: what was received, then what is to be sent. */
export function queuesOf(part: Part): readonly [received: readonly Part[], unsent: readonly Part[]] {
  const [received, unsent] = part.deferred?.parts ?? [];
  return [received?.parts ?? [], unsent?.parts ?? []];
}

/** The bytes of a packet: the linear part from `data_offset` on, then what its fragments use of their pages. */
export function packetData({ reader }: Pick<ToCriu, "reader">, packet: Part): SourceRange[] {
  const { image } = reader;
  const { value: head } = reader.get(packet, RECORDS.SOCKET_BUFFER);
  const linear = image.payload(reader.get(packet, RECORDS.BUFFER).index);
  const skip = Math.min(head.data_offset ?? 0, linear.size);
  const pieces = [{ source: image.source, offset: linear.offset + skip, size: linear.size - skip }];
  for (const fragment of packet.parts) {
    const { index, value } = reader.get(fragment, RECORDS.SOCKET_FRAG);
    const page = image.rawPage(index);
    if (page === undefined || value.offset + value.size > page.size)
      throw image.error(index, `a fragment of ${value.size} bytes at ${value.offset} does not fit its page`);
    pieces.push({ source: image.source, offset: page.offset + value.offset, size: value.size });
  }
  return pieces;
}

/** The FILEs that travel with a packet. */
export function packetRights({ reader }: Pick<ToCriu, "reader">, packet: Part): number[] {
  const index = reader.index(packet, RECORDS.PACKET_RIGHTS);
  return index === undefined ? [] : reader.image.numbers(index);
}

export function sizeOf(pieces: readonly SourceRange[]): number {
  return pieces.reduce((sum, { size }) => sum + size, 0);
}
