import { spawnSync } from "node:child_process";
import { needs } from "./needs.js";

const FRAME_MAGIC = 0x184d2204;

/** A block as LZ4 made it; `compressed` false for one that it could not make smaller. */
export interface Lz4Block {
  readonly bytes: Buffer;
  readonly compressed: boolean;
}

/**
 * `bytes` compressed by the lz4 command in independent blocks of `size` bytes each, taken out of their frame
 * (lz4_Frame_format.md). Without the command the running test is skipped.
 */
export function lz4Blocks(bytes: Buffer, size: number): Lz4Block[] {
  needs("lz4");
  const run = spawnSync("lz4", ["-c", "-q", "-9", "-BI", `-B${size}`, "--no-frame-crc"], {
    input: bytes,
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) throw new Error(`lz4: ${run.stderr}`);
  const frame = run.stdout;
  const flags = frame[4] as number;
  if (frame.readUInt32LE(0) !== FRAME_MAGIC || (flags & 0b11110101) !== 0b01100000)
    throw new Error(`lz4 wrote a frame with flags 0x${flags.toString(16)}`);
  const blocks: Lz4Block[] = [];
  let at = 7 + ((flags & 8) === 0 ? 0 : 8);
  for (let word = frame.readUInt32LE(at); word !== 0; word = frame.readUInt32LE(at)) {
    const length = word & 0x7fffffff;
    blocks.push({ bytes: frame.subarray(at + 4, at + 4 + length), compressed: length === word });
    at += 4 + length;
  }
  return blocks;
}
