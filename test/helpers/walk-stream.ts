/** A record as the framing alone tells it. */
export interface WalkedRecord {
  readonly offset: number;
  readonly id: number;
  readonly size: number;
}

/**
 * Walks the framing of a linux-cr stream by the format's description alone, without the code that is tested: id and
 * length, and a raw page after each SOCKET_FRAG (id 704 of 16 bytes). Ends after TAIL or where the bytes end.
 */
export function walkStream(bytes: Buffer, pageSize = 4096): { records: WalkedRecord[]; end: number } {
  const u32 = (at: number): number => (bytes[0] === 1 ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const records: WalkedRecord[] = [];
  let offset = 0;
  while (offset + 8 <= bytes.length) {
    const id = u32(offset);
    const size = u32(offset + 4);
    if (size < 8 || offset + size > bytes.length) break;
    records.push({ offset, id, size });
    offset += size;
    if (id === 704 && size === 16) offset += pageSize;
    if (id === 9001) break;
  }
  return { records, end: offset };
}
