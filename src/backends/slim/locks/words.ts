import { OFFSET_MAX } from "../../../linux/files.js";
import { F_UNLCK } from "../../../linux/locks.js";
import { FCNTL_TYPES, type Lock, lockName } from "../../../model/lock.js";

/** What tells two locks of one descriptor apart. */
export type LockExtent = Pick<Lock, "kind" | "type" | "breaking" | "start" | "end">;

const NUMBERS: ReadonlyMap<string, number> = new Map(FCNTL_TYPES.map(([number, name]) => [name, number]));

/** A lock in a few words: `posix write lock on bytes 0 to 99`. */
export function lockWords({ kind, type, breaking, start, end }: LockExtent): string {
  const name = typeof type === "number" ? `type ${type}` : type === "unlock" ? "no" : type;
  if (kind === "lease") return breaking ? `lease that becomes a ${name} lease` : `${name} lease`;
  if (kind === "flock") return `flock ${name} lock`;
  const range = `on bytes ${start} to ${end === OFFSET_MAX ? "the end" : end}`;
  return typeof kind === "number" ? `${lockName({ kind })} ${range}` : `${kind} ${name} lock ${range}`;
}

/** The number of a type in fcntl(2). */
export function fcntlType(type: Lock["type"]): number {
  return typeof type === "number" ? type : (NUMBERS.get(type) ?? F_UNLCK);
}
