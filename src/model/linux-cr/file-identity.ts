import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { NSEC_PER_SEC } from "../../linux/time.js";
import type { FileIdentity } from "../open-file.js";
import type { StreamReader } from "./reader.js";

/** FILE_IDENTITY.flags: what is stored. */
const HAS = { mode: 1, inode: 2, size: 4, mtime: 8 } as const;

/** What a restart compares, by the FILE_IDENTITY of a FILE. */
export function decodeIdentity(reader: StreamReader, part: Part): FileIdentity | undefined {
  const found = reader.find(part, RECORDS.FILE_IDENTITY);
  if (found === undefined) return undefined;
  const { flags, mode, dev, ino, size, mtime_sec, mtime_nsec } = found.value;
  const buildId = reader.image.bytes(found.index);
  return {
    mode: flags & HAS.mode ? mode : undefined,
    size: flags & HAS.size ? size : undefined,
    inode: flags & HAS.inode ? { dev, ino } : undefined,
    mtime: flags & HAS.mtime ? mtime_sec * NSEC_PER_SEC + BigInt(mtime_nsec) : undefined,
    buildId: buildId.length === 0 ? undefined : buildId,
    origin: reader.origin(found.index),
  };
}

/** The fields of FILE_IDENTITY but the file, and its payload, the build id. */
export function encodeIdentity({ mode, size, inode, mtime, buildId }: Omit<FileIdentity, "origin">) {
  const time = timeFields(mtime ?? 0n);
  return {
    mode: mode ?? 0,
    dev: inode?.dev ?? 0n,
    ino: inode?.ino ?? 0n,
    size: size ?? 0n,
    mtime_sec: time.seconds,
    mtime_nsec: time.nanoseconds,
    flags:
      (mode === undefined ? 0 : HAS.mode) |
      (inode === undefined ? 0 : HAS.inode) |
      (size === undefined ? 0 : HAS.size) |
      (mtime === undefined ? 0 : HAS.mtime),
    payload: buildId ?? Buffer.alloc(0),
  };
}

/** A time in nanoseconds since 1970 as two fields: one before it has nanoseconds from 0 up all the same. */
export function timeFields(time: bigint): { readonly seconds: bigint; readonly nanoseconds: number } {
  const part = ((time % NSEC_PER_SEC) + NSEC_PER_SEC) % NSEC_PER_SEC;
  return { seconds: (time - part) / NSEC_PER_SEC, nanoseconds: Number(part) };
}
