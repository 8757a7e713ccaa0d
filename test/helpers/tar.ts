/** Tar archives made header by header, for forms that no tool at hand makes, and for damaged ones. */

export interface Entry {
  readonly name: string;
  readonly content?: Buffer | string;
  /** Type flag; a regular file without one. */
  readonly type?: string;
  readonly link?: string;
  /** Fields of the header as they stand, by offset, set before the checksum. */
  readonly raw?: ReadonlyMap<number, Buffer>;
  /** Size in the header, when it is not that of the content. */
  readonly size?: number;
}

const BLOCK = 512;

/** An archive with these members and the two blocks of zeros at the end. */
export function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.map(member), Buffer.alloc(2 * BLOCK)]);
}

/** One member: header and data. */
export function member({ name, content = "", type = "0", link = "", raw = new Map(), size }: Entry): Buffer {
  const data = Buffer.from(content);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, "latin1");
  header.write("0000600\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(size ?? data.length).toString(8).padStart(11, "0")}\0`, 124);
  header.write("14000000000\0", 136);
  header.write(type, 156);
  header.write(link, 157, 100, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  for (const [offset, bytes] of raw) bytes.copy(header, offset);
  header.fill(" ", 148, 156);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return Buffer.concat([header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}

/** A PAX header for the member behind it. */
export function pax(records: Readonly<Record<string, string>>): Entry {
  const text = Object.entries(records)
    .map(([key, value]) => record(`${key}=${value}`))
    .join("");
  return { name: "PaxHeaders/x", type: "x", content: text };
}

function record(text: string): string {
  for (let digits = 1; ; digits++) {
    const line = `${text.length + digits + 2} ${text}\n`;
    if (line.length === text.length + digits + 2) return line;
  }
}

/** A GNU header with the long name of the member behind it. */
export function longName(name: string): Entry {
  return { name: "././@LongLink", type: "L", content: `${name}\0` };
}

/** A number in base-256. */
export function base256(value: bigint, bytes: number): Buffer {
  const field = Buffer.alloc(bytes);
  for (let at = bytes - 1, left = value; at >= 0; at--, left >>= 8n) field[at] = Number(left & 0xffn);
  field[0] = (field[0] as number) | 0x80;
  return field;
}
