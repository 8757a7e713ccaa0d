import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { TERMIOS } from "../../../formats/linux-cr/tables/tty.js";
import { S_IALLUGO } from "../../../linux/files.js";
import { PTY_TYPE_MASTER, TTY_DRIVER_TYPE_PTY, TTY_HUPPED, TTY_OTHER_CLOSED } from "../../../linux/tty.js";
import { pidOfTag } from "../../../model/linux-cr/pids.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { isCanonical, TERMIOS_BYTES, termiosBytes } from "../terminal/modes.js";

/** TTY_EXTRA.flags. */
const EXTRA = { locked: 1, exclusive: 2, packet: 4, owner: 8, external: 16 } as const;
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
