import { createHash } from "node:crypto";
import type { ByteSource } from "./source.js";

const CHUNK = 1024 * 1024;

/** SHA-256 of all bytes of a source as 64 hexadecimal digits; memory stays at one chunk. */
export function sha256(source: ByteSource): string {
  const hash = createHash("sha256");
  for (const chunk of chunksOf(source)) hash.update(chunk);
  return hash.digest("hex");
}

/** The bytes of a source from the start to the end, at most 1 MiB at a time. */
export function* chunksOf(source: ByteSource): Generator<Buffer> {
  for (let offset = 0; offset < source.size; offset += CHUNK)
    yield source.read(offset, Math.min(CHUNK, source.size - offset));
}
