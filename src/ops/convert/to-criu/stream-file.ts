import type { FownEntry } from "../../../formats/criu/tables/fown.js";
import type { Timeval } from "../../../formats/criu/tables/timer.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { pidOfTag } from "../../../model/linux-cr/pids.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { ToCriu } from "./context.js";
import { NO_OWNER } from "./file-entry.js";

/** What files of one stream must know of the others. */
export interface OtherFiles {
  /** Numbers of the ghost files so far, by inode. */
  readonly ghosts: Map<string, number>;
  /** SOCK objects that some FILE opens. */
  readonly openSockets: ReadonlySet<number>;
}

/** One FILE object on its way into a set. */
export interface StreamFile {
  readonly context: ToCriu;
  readonly part: Part;
  readonly file: OpenFile;
  readonly objref: number;
  /** Its id in the set. */
  readonly id: number;
  readonly value: RecordValue<typeof RECORDS.FILE>;
  readonly owner: FownEntry;
  readonly others: OtherFiles;
  /** What messages call it. */
  readonly label: string;
}

/** A descriptor with the process that holds it. */
export interface Holder {
  readonly pid: number;
  readonly fd: number;
}

export function streamFile(
  context: ToCriu,
  part: Part,
  file: OpenFile,
  holder: Holder | undefined,
  others: OtherFiles,
): StreamFile {
  const { reader } = context;
  const objref = part.objref as number;
  const path = reader.text(part, RECORDS.FILE_NAME);
  const held = holder === undefined ? `file ${objref}` : `task ${holder.pid} fd ${holder.fd}`;
  const label = path === undefined ? held : `${held} (${path})`;
  return {
    context,
    part,
    file,
    objref,
    id: context.fileId(objref),
    value: reader.get(part, RECORDS.FILE).value,
    owner: ownerOf(context, part, label),
    others,
    label,
  };
}

/** FILE_OWNER.pid_type of a session. */
const SESSION = 2;
/** fcntl(2) F_OWNER_ types, which criu stores, by FILE_OWNER.pid_type: process, group, and as a crimg extension 3 for a thread. */
const OWNERS: Readonly<Record<number, number>> = { 0: 1, 1: 2, 3: 0 };

function ownerOf(context: ToCriu, part: Part, label: string): FownEntry {
  const { reader, losses } = context;
  const found = reader.find(part, RECORDS.FILE_OWNER);
  if (found === undefined) return NO_OWNER;
  const { pid_ref: tag, pid_type: type, uid, euid, signum } = found.value;
  const pid = pidOfTag(reader, tag, found.index);
  if (pid !== 0 && type === SESSION) {
    losses.add(label, `its signals go to session ${pid}`, "criu knows processes and groups as owners");
    return { ...NO_OWNER, signum };
  }
  const owner = OWNERS[type];
  if (owner === undefined) throw reader.image.error(found.index, `an owner of the unknown kind ${type}`);
  return { uid, euid, signum, pid_type: pid === 0 ? 0 : owner, pid };
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
  readonly mtime: Timeval | undefined;
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
        ? timeval(value.mtime_sec, value.mtime_nsec)
        : undefined,
    buildId: found === undefined ? [] : wordsOf(reader.image.bytes(found.index)),
  };
}

/** A time as criu stores it, to the microsecond. */
export function timeval(seconds: bigint, ns: number): Timeval {
  return { tv_sec: BigInt.asUintN(64, seconds), tv_usec: BigInt(Math.floor(ns / 1000)) };
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
