import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { TERMIOS } from "../../../formats/linux-cr/tables/tty.js";
import { S_IALLUGO } from "../../../linux/files.js";
import { PTY_TYPE_MASTER, TTY_DRIVER_TYPE_PTY, TTY_HUPPED, TTY_OTHER_CLOSED } from "../../../linux/tty.js";
import { pidOfTag } from "../../../model/linux-cr/pids.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { type Image, tableOwners } from "../restore/image.js";
import { isCanonical, TERMIOS_BYTES, termiosBytes } from "./modes.js";

/** TTY_EXTRA.flags. */
export const EXTRA = { locked: 1, exclusive: 2, packet: 4, owner: 8, external: 16 } as const;
const NEWLINE = 10;

/** One end of a terminal as the image has it: a TTY object. */
export interface ImageTerminal {
  readonly objref: number;
  /** N of /dev/pts/N. */
  readonly index: number;
  readonly isPseudo: boolean;
  readonly isMaster: boolean;
  /** TTY object of the other end, of a slave. */
  readonly master: number;
  /** The other end is closed, and nothing is known of this one. */
  readonly isHungUp: boolean;
  /** A master that is not in the image. */
  readonly isExternal: boolean;
  /** A master whose slaves are closed. */
  readonly isLeft: boolean;
  readonly isLocked: boolean;
  readonly isExclusive: boolean;
  readonly isPacketMode: boolean;
  readonly isStopped: boolean;
  /** struct termios2. */
  readonly modes: Buffer;
  /** struct termios. */
  readonly lockedModes: Buffer;
  /** struct winsize. */
  readonly size: Buffer;
  /** What waits to be read at this end, and the places of the last bytes of complete lines in it. */
  readonly unread: Buffer;
  readonly ends: readonly number[];
  readonly owner:
    | { readonly uid: number; readonly gid: number; readonly mode: number | undefined }
    | undefined;
  /** Group in its foreground, 0 when it is not known. */
  readonly foreground: number;
}

/** All ends of terminals in an image, by the numbers of their objects. Errors: FormatError for a damaged image. */
export function imageTerminals(reader: StreamReader): Map<number, ImageTerminal> {
  return new Map([...reader.objects("TTY")].map((part) => [part.objref ?? 0, terminalOf(reader, part)]));
}

function terminalOf(reader: StreamReader, part: Part): ImageTerminal {
  const { value: tty } = reader.get(part, RECORDS.TTY);
  const discipline = reader.find(part, RECORDS.TTY_LDISC)?.value;
  const extra = reader.find(part, RECORDS.TTY_EXTRA);
  const flags = extra?.value.flags ?? 0;
  const buffer = reader.index(part, RECORDS.BUFFER);
  const unread = buffer === undefined ? Buffer.alloc(0) : Buffer.from(reader.image.bytes(buffer));
  const modes = termiosBytes(tty.termios);
  const isMaster = tty.driver_subtype === PTY_TYPE_MASTER;
  const group = extra?.value.pgrp_ref ?? 0;
  return {
    objref: part.objref ?? 0,
    index: tty.index,
    isPseudo: tty.driver_type === TTY_DRIVER_TYPE_PTY,
    isMaster,
    master: tty.link_objref,
    isHungUp: (tty.flags & TTY_HUPPED) !== 0n && !isMaster,
    // Streams of the kernel have no master that is hung up.
    isExternal: isMaster && (tty.flags & TTY_HUPPED) !== 0n,
    isLeft: isMaster && (tty.flags & TTY_OTHER_CLOSED) !== 0n,
    isLocked: (flags & EXTRA.locked) !== 0,
    isExclusive: (flags & EXTRA.exclusive) !== 0,
    isPacketMode: (flags & EXTRA.packet) !== 0 || (isMaster && (discipline?.packet ?? 0) !== 0),
    isStopped: !isMaster && (discipline?.stopped ?? 0) !== 0,
    modes,
    lockedModes: extra === undefined ? Buffer.alloc(TERMIOS_BYTES) : lockedModesOf(reader, extra.index),
    size: sizeBytes(tty.winsize),
    unread,
    ends:
      isMaster || !isCanonical(modes)
        ? []
        : lineEnds(unread, discipline?.canon_data ?? 0, discipline?.read_flags ?? Buffer.alloc(0)),
    owner:
      (flags & EXTRA.owner) === 0
        ? undefined
        : {
            uid: extra?.value.uid ?? 0,
            gid: extra?.value.gid ?? 0,
            mode: extra?.value.mode === 0 ? undefined : (extra?.value.mode ?? 0) & S_IALLUGO,
          },
    foreground: group === 0 ? 0 : pidOfTag(reader, group, extra?.index ?? 0),
  };
}

function lockedModesOf(reader: StreamReader, record: number): Buffer {
  const { image } = reader;
  const [modes] = image.payload(record).size < TERMIOS.size ? [] : image.structs(record, TERMIOS);
  return (modes === undefined ? Buffer.alloc(TERMIOS_BYTES) : termiosBytes(modes)).subarray(0, TERMIOS_BYTES);
}

function sizeBytes(size: {
  readonly ws_row: number;
  readonly ws_col: number;
  readonly ws_xpixel: number;
  readonly ws_ypixel: number;
}): Buffer {
  const bytes = Buffer.alloc(8);
  for (const [i, word] of [size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel].entries())
    bytes.writeUInt16LE(word, i * 2);
  return bytes;
}

/** By the flags of the line discipline; where they were not saved, lines end at newlines. */
function lineEnds(bytes: Buffer, count: number, flags: Buffer): number[] {
  const isEnd = (at: number): boolean =>
    count > 0 ? ((flags[at >> 3] ?? 0) & (1 << (at & 7))) !== 0 : bytes[at] === NEWLINE;
  return [...bytes.keys()].filter(isEnd);
}

const TERMINAL = 5;
const CONTROLLING = "/dev/tty";

/** A session of the image whose leader is in it, with the terminal that controls it. */
interface SessionTerminal {
  readonly sid: number;
  /** TTY object. */
  readonly terminal: number;
  /** Group in its foreground, 0 when that is not known. */
  readonly foreground: number;
}

/** The sessions that have a terminal. */
export function sessionTerminals({ processes, reader }: Image): SessionTerminal[] {
  const terminals = imageTerminals(reader);
  return processes.flatMap(({ ids, signal }) => {
    const terminal = signal?.tty_objref ?? 0;
    if (ids.pid !== ids.sid || terminal === 0) return [];
    return [{ sid: ids.pid, terminal, foreground: terminals.get(terminal)?.foreground ?? 0 }];
  });
}

/** The slaves whose masters are outside the checkpoint: TTY objects. */
export function externalTerminals({ reader }: Image): { readonly objref: number; readonly index: number }[] {
  const terminals = imageTerminals(reader);
  return [...terminals.values()].filter(
    ({ isMaster, isHungUp, master }) => !isMaster && !isHungUp && terminals.get(master)?.isExternal === true,
  );
}

/**
 * FILEs that are /dev/tty, each with a task that has it and whose session has that terminal: only such a task can open it.
 */
export function openedBySessions(
  image: Image,
): Map<number, { readonly task: number; readonly flags: number }> {
  const bySession = new Map(sessionTerminals(image).map(({ sid, terminal }) => [sid, terminal]));
  const external = new Set(externalTerminals(image).map(({ objref }) => objref));
  const [root] = image.processes;
  const found = new Map<number, { readonly task: number; readonly flags: number }>();
  for (const { process, objects } of tableOwners(image))
    for (const { objref } of image.table(objects.files_objref)) {
      const file = image.files.get(objref);
      if (file?.record.f_type !== TERMINAL || file.path !== CONTROLLING || found.has(objref)) continue;
      const terminal = Number(file.record.tty_objref);
      const { pid, sid } = process.ids;
      // A root that leads no session is in that of crimg, on the terminal of crimg.
      const isCallers = root?.ids.sid === sid && root.ids.pid !== sid && external.has(terminal);
      if (bySession.get(sid) === terminal || isCallers)
        found.set(objref, { task: pid, flags: file.flags ?? 0 });
    }
  return found;
}
