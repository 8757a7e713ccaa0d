import type { Line } from "./line.js";
import type { OutputPiece } from "./output-file.js";

const ROW = 16;

/**
 * Bytes from an address on as `hexdump -C` shows them: rows of 16 bytes in hexadecimal and as ASCII. Rows like the one before
 * are a `*`, so that zeros are short.
 */
export function* hexdumpLines(start: bigint, pieces: Iterable<OutputPiece>): Generator<Line> {
  let address = start;
  let last: string | undefined;
  let isRepeating = false;
  let rest: Buffer = Buffer.alloc(0);
  const row = (bytes: Buffer): string[] => {
    const shown = rowText(bytes);
    const isSame = shown === last;
    const told = !isSame ? [`${hex(address)}  ${shown}`] : isRepeating ? [] : ["*"];
    isRepeating = isSame;
    last = shown;
    address += BigInt(bytes.length);
    return told;
  };
  for (const piece of pieces) {
    if (!(piece instanceof Uint8Array)) {
      // Whole rows of zeros are not made, but counted: they may be terabytes.
      const head = Math.min(piece.zeros, rest.length === 0 ? 0 : ROW - rest.length);
      rest = Buffer.concat([rest, Buffer.alloc(head)]);
      if (rest.length === ROW) {
        yield* row(rest);
        rest = Buffer.alloc(0);
      }
      const rows = Math.floor((piece.zeros - head) / ROW);
      for (let i = 0; i < Math.min(rows, 2); i++) yield* row(Buffer.alloc(ROW));
      address += BigInt(Math.max(0, rows - 2)) * BigInt(ROW);
      rest = Buffer.concat([rest, Buffer.alloc((piece.zeros - head) % ROW)]);
      continue;
    }
    const bytes =
      rest.length === 0
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.length)
        : Buffer.concat([rest, piece]);
    let at = 0;
    for (; at + ROW <= bytes.length; at += ROW) yield* row(bytes.subarray(at, at + ROW));
    rest = bytes.subarray(at);
  }
  if (rest.length > 0) yield* row(rest);
  yield hex(address);
}

function rowText(bytes: Buffer): string {
  const pairs = bytes.toString("hex").match(/../g) ?? [];
  const halves = [pairs.slice(0, ROW / 2).join(" "), pairs.slice(ROW / 2).join(" ")].join("  ");
  const ascii = bytes.toString("latin1").replace(/[^ -~]/g, ".");
  return `${halves.padEnd(3 * ROW)} |${ascii}|`;
}

function hex(address: bigint): string {
  return address.toString(16).padStart(8, "0");
}
