import { createHash } from "node:crypto";
import fs from "node:fs";
import type { ByteSource } from "./source.js";

const CHUNK = 1024 * 1024;

/** SHA-256 of all bytes of a source as 64 hexadecimal digits; holds one chunk in memory. */
export function sha256(source: ByteSource): string {
  const hash = createHash("sha256");
  for (const chunk of chunksOf(source)) hash.update(chunk);
  return hash.digest("hex");
}

/** SHA-256 of a regular file; undefined for anything else, including a symbolic link. */
export function sha256OfFile(path: string): string | undefined {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK);
  try {
    for (let at = 0; ; ) {
      const got = fs.readSync(fd, chunk, 0, CHUNK, at);
      if (got === 0) return hash.digest("hex");
      hash.update(chunk.subarray(0, got));
      at += got;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** The bytes of a source in chunks of at most 1 MiB. */
export function* chunksOf(source: ByteSource): Generator<Buffer> {
  for (let offset = 0; offset < source.size; offset += CHUNK)
    yield source.read(offset, Math.min(CHUNK, source.size - offset));
}
