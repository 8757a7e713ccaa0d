import * as assert from "uvu/assert";

const AROUND = 16;

/** The bytes of an output, with its zeros. */
export function joined(pieces: Iterable<Buffer | { readonly zeros: number }>): Buffer {
  return Buffer.concat(
    Array.from(pieces, (piece) => (Buffer.isBuffer(piece) ? piece : Buffer.alloc(piece.zeros))),
  );
}

/** Fails when two byte strings differ, showing the first difference and what stands around it, not megabytes. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array, what = "bytes"): void {
  const left = Buffer.from(actual.buffer, actual.byteOffset, actual.byteLength);
  const right = Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength);
  if (left.equals(right)) return;
  const at = firstDifference(left, right);
  assert.unreachable(
    `${what} differ at offset 0x${at.toString(16)}\n` +
      `  actual   (${left.length} bytes): ${excerpt(left, at)}\n` +
      `  expected (${right.length} bytes): ${excerpt(right, at)}`,
  );
}

function firstDifference(left: Buffer, right: Buffer): number {
  const end = Math.min(left.length, right.length);
  for (let at = 0; at < end; at++) if (left[at] !== right[at]) return at;
  return end;
}

function excerpt(bytes: Buffer, at: number): string {
  const before = bytes.subarray(Math.max(0, at - AROUND), at).toString("hex");
  const after = bytes.subarray(at, at + AROUND).toString("hex");
  return `…${before}[${after || "end"}]…`;
}
