export interface ImageLock {
  readonly kind: "posix" | "flock" | "ofd" | "lease";
  /** F_RDLCK, F_WRLCK or F_UNLCK; what a lease that is being broken becomes. */
  readonly type: number;
  /** What a lease was before its break. */
  readonly held: number;
  readonly isBreaking: boolean;
  readonly start: bigint;
  /** 0 reaches to the end of the file, as in struct flock. */
  readonly length: bigint;
  /** Seconds until a lease that is being broken is taken away. */
  readonly remaining: number;
}

export const KINDS: Readonly<Record<number, ImageLock["kind"]>> = {
  1: "posix",
  2: "flock",
  32: "lease",
  1025: "ofd",
};

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
