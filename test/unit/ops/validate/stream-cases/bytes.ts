/** Text as bytes of a record. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Numbers of 32 bits as a little-endian stream holds them. */
export function words(...numbers: readonly number[]): Buffer {
  const out = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) out.writeInt32LE(number | 0, i * 4);
  return out;
}

/** A number of 64 bits. */
export function word64(number: bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(number);
  return out;
}
