import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { NewRecord } from "../../formats/linux-cr/stream-writer.js";
import { WRITTEN_DIALECT } from "../../formats/linux-cr/stream-writer.js";
import { TERMIOS } from "../../formats/linux-cr/tables/tty.js";
import {
  ICANON,
  PTMX_RDEV,
  PTY_TYPE_MASTER,
  PTY_TYPE_SLAVE,
  slaveDevice,
  TTY_DRIVER_TYPE_PTY,
  TTY_HUPPED,
  TTY_OTHER_CLOSED,
} from "../../linux/tty.js";
import { writeStruct } from "../../schema/struct-writer.js";
import type { Terminal, Termios } from "../special-file.js";
import { pidOfTag } from "./pids.js";
import type { StreamReader } from "./reader.js";

/** TTY_EXTRA.flags. */
const EXTRA = { locked: 1, exclusive: 2, packet: 4, owner: 8, external: 16 } as const;
const READ_FLAGS_BYTES = 512;

/** A terminal with what a stream says besides. */
export interface StreamTerminal extends Terminal {
  readonly index: number;
  /** Of TTY. */
  readonly objref: number;
  /** TTY object of the master, 0 in the master itself. */
  readonly master: number;
  readonly isPseudo: boolean;
  /** A master that is not in the image: streams of the kernel have none that was hung up. */
  readonly isExternal: boolean;
}

/** A TTY object as a terminal. Reading its session or its group fails for tags that no id has: FormatError. */
export function decodeTerminal(reader: StreamReader, part: Part): StreamTerminal {
  const { index: record, value: tty } = reader.get(part, RECORDS.TTY);
  const discipline = reader.find(part, RECORDS.TTY_LDISC)?.value;
  const extra = reader.find(part, RECORDS.TTY_EXTRA);
  const { flags = 0, uid = 0, gid = 0, mode = 0, sid_ref = 0, pgrp_ref = 0, rdev } = extra?.value ?? {};
  const isMaster = tty.driver_subtype === PTY_TYPE_MASTER;
  const isHungUp = (tty.flags & TTY_HUPPED) !== 0n;
  const pid = (tag: number): number => (tag === 0 ? 0 : pidOfTag(reader, tag, extra?.index ?? record));
  return {
    kind: "terminal",
    type: "PTY",
    index: tty.index,
    objref: part.objref ?? 0,
    master: tty.link_objref,
    isPseudo: tty.driver_type === TTY_DRIVER_TYPE_PTY,
    isMaster,
    isExternal: isMaster && isHungUp,
    termios: isHungUp ? undefined : tty.termios,
    get lockedTermios() {
      return extra && lockedModes(reader, extra.index);
    },
    window: isHungUp ? undefined : tty.winsize,
    isLocked: (flags & EXTRA.locked) !== 0,
    isExclusive: (flags & EXTRA.exclusive) !== 0,
    isPacketMode: (flags & EXTRA.packet) !== 0 || (isMaster && (discipline?.packet ?? 0) !== 0),
    isStopped: (discipline?.stopped ?? 0) !== 0,
    isLeft: isMaster && (tty.flags & TTY_OTHER_CLOSED) !== 0n,
    get session() {
      return pid(sid_ref);
    },
    get foreground() {
      return pid(pgrp_ref);
    },
    rdev: rdev || (isMaster ? PTMX_RDEV : slaveDevice(tty.index)),
    owner: (flags & EXTRA.owner) === 0 ? undefined : { uid, gid, mode },
    get unread() {
      return unreadOf(reader, part);
    },
    get lineEnds() {
      return discipline === undefined || discipline.canon_data === 0
        ? undefined
        : placesIn(discipline.read_flags, unreadOf(reader, part).length);
    },
  };
}

function unreadOf(reader: StreamReader, part: Part): Buffer {
  const buffer = reader.index(part, RECORDS.BUFFER);
  return buffer === undefined ? Buffer.alloc(0) : reader.image.bytes(buffer);
}

function lockedModes({ image }: StreamReader, record: number): Termios | undefined {
  return image.payload(record).size < TERMIOS.size ? undefined : image.structs(record, TERMIOS)[0];
}

function placesIn(set: Buffer, size: number): number[] {
  return Array.from({ length: size }, (_, at) => at).filter(
    (at) => ((set[at >> 3] ?? 0) & (1 << (at & 7))) !== 0,
  );
}

/** What the records of a terminal name of others in the stream. */
export interface TerminalNumbers {
  /** TTY object of the master, 0 for the master itself. */
  readonly master: number;
  /** The number that is kept for the file of a master, 0 for a slave. */
  readonly file: number;
  /** Of a session or group; 0 for one that is not in the stream, where the terminal is that of whoever restarts. */
  readonly tag: (pid: number) => number;
}

/** The records of one end of a pseudo terminal behind its OBJREF. */
export function* encodeTerminal(terminal: Terminal, numbers: TerminalNumbers): Generator<NewRecord> {
  const { termios, window, unread, lineEnds = [], owner, lockedTermios: locked } = terminal;
  const flags = termios === undefined ? TTY_HUPPED : terminal.isLeft ? TTY_OTHER_CLOSED : 0n;
  const packet = terminal.isPacketMode ? 1 : 0;
  yield {
    kind: RECORDS.TTY,
    fields: {
      ...encodeEnd(terminal.index ?? 0, numbers),
      flags,
      termios: termios === undefined ? {} : encodeTermios(termios),
      winsize: window ?? {},
    },
  };
  if (termios !== undefined) {
    yield {
      kind: RECORDS.TTY_LDISC,
      fields: {
        datalen: unread.length,
        canon_datalen: (lineEnds.at(-1) ?? -1) + 1,
        canon_data: lineEnds.length,
        stopped: terminal.isStopped ? 1 : 0,
        packet,
        icanon: (termios.c_lflag & ICANON) === 0 ? 0 : 1,
        ...(lineEnds.length === 0 ? {} : { read_flags: bitsAt(lineEnds) }),
      },
    };
    if (unread.length > 0) yield { kind: RECORDS.BUFFER, fields: {}, payload: unread };
  }
  yield {
    kind: RECORDS.TTY_EXTRA,
    fields: {
      flags:
        (terminal.isLocked ? EXTRA.locked : 0) |
        (terminal.isExclusive ? EXTRA.exclusive : 0) |
        (packet === 0 ? 0 : EXTRA.packet) |
        (owner === undefined ? 0 : EXTRA.owner),
      ...(owner ?? { uid: 0, gid: 0, mode: 0 }),
      sid_ref: numbers.tag(terminal.session),
      pgrp_ref: numbers.tag(terminal.foreground),
      rdev: terminal.rdev,
    },
    payload:
      locked === undefined
        ? Buffer.alloc(0)
        : writeStruct(TERMIOS, encodeTermios(locked), WRITTEN_DIALECT.arch.byteOrder),
  };
}

/** A master that is there in name only: the terminal is that which the tasks are restarted on. */
export function* encodeExternalMaster(index: number, file: number): Generator<NewRecord> {
  const end = encodeEnd(index, { master: 0, file });
  yield { kind: RECORDS.TTY, fields: { ...end, flags: TTY_HUPPED } };
  yield { kind: RECORDS.TTY_EXTRA, fields: { flags: EXTRA.external } };
}

function encodeEnd(
  index: number,
  { master, file }: Pick<TerminalNumbers, "master" | "file">,
): Partial<RecordValue<typeof RECORDS.TTY>> {
  return {
    driver_type: TTY_DRIVER_TYPE_PTY,
    driver_subtype: master === 0 ? PTY_TYPE_MASTER : PTY_TYPE_SLAVE,
    link_objref: master,
    file_objref: file,
    index,
  };
}

function encodeTermios({ c_ispeed = 0, c_ospeed = 0, c_cc, ...modes }: Termios) {
  return { ...modes, c_ispeed, c_ospeed, c_cc: Buffer.concat([c_cc], TERMIOS.fields.c_cc.size) };
}

function bitsAt(places: readonly number[]): Buffer {
  const set = Buffer.alloc(READ_FLAGS_BYTES);
  for (const place of places) set[place >> 3] = (set[place >> 3] as number) | (1 << (place & 7));
  return set;
}
