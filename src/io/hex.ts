/** An address, offset or mask as text: `0x7ffd1000`. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
