import type { FownEntry } from "../../../formats/criu/tables/fown.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { pidOfTag } from "../../../model/linux-cr/pids.js";
import type { ToCriu } from "./context.js";
import { NO_OWNER } from "./file-entry.js";

/** FILE.f_type. */
export const FILE_TYPE = {
  generic: 1,
  pipe: 2,
  fifo: 3,
  socket: 4,
  terminal: 5,
  epoll: 6,
  eventfd: 7,
  timerfd: 1001,
  signalfd: 1002,
  memfd: 1003,
  inotify: 1004,
} as const;

/** One FILE object on its way into a set. */
export interface StreamFile {
  readonly context: ToCriu;
  readonly part: Part;
  readonly objref: number;
  /** Its id in the set. */
  readonly id: number;
  readonly value: RecordValue<typeof RECORDS.FILE>;
  readonly owner: FownEntry;
  /** What messages call it. */
  readonly label: string;
}

/** A descriptor with the process that holds it. */
export interface Holder {
  readonly pid: number;
  readonly fd: number;
}

export function streamFile(context: ToCriu, part: Part, holder: Holder | undefined): StreamFile {
  const { reader } = context;
  const objref = part.objref as number;
  const path = reader.text(part, RECORDS.FILE_NAME);
  const held = holder === undefined ? `file ${objref}` : `task ${holder.pid} fd ${holder.fd}`;
  const label = path === undefined ? held : `${held} (${path})`;
  return {
    context,
    part,
    objref,
    id: context.fileId(objref),
    value: reader.get(part, RECORDS.FILE).value,
    owner: ownerOf(context, part, label),
    label,
  };
}

/** FILE_OWNER.pid_type. */
const OWNER = { process: 0, group: 1, session: 2 } as const;
/** fcntl(2) F_OWNER_PID and F_OWNER_PGRP, as criu stores them. */
const OWNER_PID = 1;
const OWNER_GROUP = 2;

function ownerOf(context: ToCriu, part: Part, label: string): FownEntry {
  const { reader, losses } = context;
  const found = reader.find(part, RECORDS.FILE_OWNER);
  if (found === undefined) return NO_OWNER;
  const { pid_ref: tag, pid_type: type, uid, euid, signum } = found.value;
  const pid = pidOfTag(reader, tag, found.index);
  if (pid !== 0 && type === OWNER.session) {
    losses.add(label, `its signals go to session ${pid}`, "criu knows processes and groups as owners");
    return { ...NO_OWNER, signum };
  }
  const known = type === OWNER.group ? OWNER_GROUP : OWNER_PID;
  return { uid, euid, signum, pid_type: pid === 0 ? 0 : known, pid };
}

/** FILE_IDENTITY.flags: which of its fields are stored. */
const STORED = { mode: 1, inode: 2, size: 4, mtime: 8 } as const;

/** What the stream knows of the inode; undefined for what it does not. */
export interface Identity {
  readonly mode: number | undefined;
  /** As stat(2) gives it. */
  readonly dev: bigint | undefined;
  readonly ino: bigint | undefined;
  readonly size: bigint | undefined;
  readonly mtime: { readonly tv_sec: bigint; readonly tv_usec: bigint } | undefined;
  /** Of an ELF file, bytes in words in the order of memory. */
  readonly buildId: readonly number[];
}

export function identityOf({ context: { reader }, part }: StreamFile): Identity {
  const found = reader.find(part, RECORDS.FILE_IDENTITY);
  const flags = found?.value.flags ?? 0;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const value = found?.value;
  return {
    mode: has(STORED.mode) ? value?.mode : undefined,
    dev: has(STORED.inode) ? value?.dev : undefined,
    ino: has(STORED.inode) ? value?.ino : undefined,
    size: has(STORED.size) ? value?.size : undefined,
    mtime:
      value !== undefined && has(STORED.mtime) && value.mtime_sec >= 0n
        ? { tv_sec: value.mtime_sec, tv_usec: BigInt(Math.floor(value.mtime_nsec / 1000)) }
        : undefined,
    buildId: found === undefined ? [] : wordsOf(reader.image.bytes(found.index)),
  };
}

function wordsOf(bytes: Buffer): number[] {
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  bytes.copy(padded);
  return Array.from({ length: padded.length / 4 }, (_, i) => padded.readUInt32LE(i * 4));
}

/** A device number of stat(2) in the kernel's own form, which criu has in some images. */
export function kernelDev(dev: bigint): number {
  const major = Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n));
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n));
  return ((major << 20) | minor) >>> 0;
}
