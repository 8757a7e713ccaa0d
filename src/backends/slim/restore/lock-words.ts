import type { ImageLock } from "./image.js";

const TYPES = ["read", "write", "no"];

/** A lock in a few words: `posix write lock on bytes 0 to 99`. */
export function lockWords({
  kind,
  type,
  isBreaking,
  start,
  length,
}: Pick<ImageLock, "kind" | "type" | "isBreaking" | "start" | "length">): string {
  const name = TYPES[type] ?? "unknown";
  if (kind === "lease") return isBreaking ? `lease that becomes a ${name} lease` : `${name} lease`;
  if (kind === "flock") return `flock ${name} lock`;
  const end = length === 0n ? "the end" : String(start + length - 1n);
  return `${kind} ${name} lock on bytes ${start} to ${end}`;
}
