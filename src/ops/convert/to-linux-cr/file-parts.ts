import type { FownEntry } from "../../../formats/criu/tables/fown.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import type { Timeval } from "../../../formats/criu/tables/timer.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { wordBytes } from "../../../io/words.js";
import {
  FMODE_LSEEK,
  FMODE_PATH,
  FMODE_PREAD,
  FMODE_PWRITE,
  FMODE_READ,
  FMODE_WRITE,
} from "../../../linux/files.js";
import { O_ACCMODE, O_ASYNC, O_PATH } from "../../../linux/open-flags.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Context } from "./context.js";

interface FileFields {
  readonly flags: number;
  /** Offset in bytes; undefined for files that have none. */
  readonly position?: bigint | undefined;
  /** Fields of one type of FILE. */
  readonly own?: Readonly<Record<string, unknown>>;
}

/** The FILE record. The credentials are those of the task, since criu does not store with which a file was opened. */
export function writeFileRecord(context: Context, type: number, { flags, position, own }: FileFields): void {
  context.writer.record(RECORDS.FILE, {
    f_type: type,
    f_mode: modeOf(flags, position !== undefined),
    f_flags: flags,
    f_credref: context.cred,
    f_pos: position ?? 0n,
    ...own,
  });
}

function modeOf(flags: number, canSeek: boolean): number {
  const seek = canSeek ? FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE : 0;
  if ((flags & O_PATH) !== 0) return FMODE_PATH | (canSeek ? FMODE_LSEEK : 0);
  const access = flags & O_ACCMODE;
  // 3 is for ioctl(2) alone.
  if (access === 3) return seek;
  return seek | (access === 1 ? 0 : FMODE_READ) | (access === 0 ? 0 : FMODE_WRITE);
}

/** pid_type of criu (0 thread, 1 process, 2 group) as FILE_OWNER has it. */
const OWNER_TYPES = [3, 0, 1] as const;

/** FILE_OWNER, for a file whose events send a signal to somebody. */
export function writeOwner(
  context: Context,
  file: OpenFile,
  objref: number,
  owner: FownEntry,
  flags: number,
): void {
  if (owner.pid === 0 && owner.signum === 0) return;
  const pid = owner.pid === 0 ? 0 : context.tag(owner.pid);
  const type = OWNER_TYPES[owner.pid_type] ?? (pid === 0 ? 0 : undefined);
  if (pid === undefined || type === undefined) {
    context.losses.add(
      `open file ${file.id} (${file.label})`,
      `its owner for signals, ${owner.pid}`,
      pid === undefined ? "no task or group of the set has this id" : `type ${owner.pid_type} is unknown`,
    );
    return;
  }
  context.writer.record(RECORDS.FILE_OWNER, {
    file_objref: objref,
    pid_ref: pid,
    pid_type: type,
    uid: owner.uid,
    euid: owner.euid,
    signum: owner.signum,
    async: (flags & O_ASYNC) === 0 ? 0 : 1,
  });
}

/** Bits of FILE_IDENTITY.flags. */
const STORED = { mode: 1, inode: 2, size: 4, mtime: 8 } as const;

/** What a deleted file was, which its ghost knows. */
export interface GhostIdentity {
  /** Device number as stat(2) gives it. */
  readonly dev: number | undefined;
  readonly ino: bigint | undefined;
  readonly mtime: Timeval | undefined;
}

/** FILE_IDENTITY: what criu compares at a restore. Nothing for a file of which nothing is known. */
export function writeIdentity(
  context: Context,
  objref: number,
  { mode, size, build_id: words }: Pick<RegFileEntry, "mode" | "size" | "build_id">,
  ghost?: GhostIdentity,
): void {
  const { dev, ino, mtime } = ghost ?? {};
  const hasInode = dev !== undefined && ino !== undefined;
  const flags =
    (mode === undefined ? 0 : STORED.mode) |
    (hasInode ? STORED.inode : 0) |
    (size === undefined ? 0 : STORED.size) |
    (mtime === undefined ? 0 : STORED.mtime);
  if (flags === 0 && words.length === 0) return;
  context.writer.record(
    RECORDS.FILE_IDENTITY,
    {
      file_objref: objref,
      mode: mode ?? 0,
      dev: hasInode ? BigInt(dev) : 0n,
      ino: hasInode ? ino : 0n,
      size: size ?? 0n,
      mtime_sec: mtime?.tv_sec ?? 0n,
      mtime_nsec: mtime === undefined ? 0 : Number(mtime.tv_usec) * 1000,
      flags,
    },
    wordBytes("u32", words, "word of a build id"),
  );
}
