import { IMAGES } from "../../../formats/criu/images.js";
import {
  type TermiosEntry,
  TTY_DATA_ENTRY,
  TTY_INFO_ENTRY,
  TTY_TYPE,
  type TtyInfoEntry,
} from "../../../formats/criu/tables/tty.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { TERMIOS } from "../../../formats/linux-cr/tables/tty.js";
import { PTMX_RDEV, PTY_TYPE_MASTER, TTY_HUPPED, UNIX98_PTY_SLAVE_MAJOR } from "../../../linux/tty.js";
import { pidOfTag } from "../../../model/linux-cr/pids.js";
import type { ToCriu } from "./context.js";
import { addFile } from "./file-entry.js";
import { addNode } from "./regular-files.js";
import type { StreamFile } from "./stream-file.js";

const PTY = TTY_TYPE.values.get("PTY") as number;
const SLAVES_OF_MAJOR = 256;
/** TTY_EXTRA.flags. */
const EXTRA = { locked: 1, exclusive: 2, packet: 4, owner: 8 } as const;
/** criu stores 19 words of control characters, the first bytes of which are the characters. */
const CC_WORDS = 19;

/** An open terminal: one end of a pseudo terminal. */
export function terminal(file: StreamFile): void {
  const { context, id, value, part, owner } = file;
  const { reader } = context;
  const tty = reader.object(value.tty_objref ?? 0, "TTY");
  if (tty === undefined)
    throw reader.image.error(part.records[0] ?? 0, `${file.label} names no terminal of the stream`);
  const { driver_subtype: end, index } = reader.get(tty, RECORDS.TTY).value;
  const isMaster = end === PTY_TYPE_MASTER;
  const infoId = index * 2 + (isMaster ? 1 : 0);
  const name = reader.text(part, RECORDS.OPENED_NAME) ?? (isMaster ? "/dev/ptmx" : `/dev/pts/${index}`);
  const node = addNode(file, context.newFileId(), { name });
  addFile(context, "TTY", id, {
    tty: { id, tty_info_id: infoId, flags: value.f_flags, fown: owner, regf_id: node },
  });
  if (context.isFirst("terminal", tty.objref ?? 0)) writeTerminal(context, tty, infoId);
}

function writeTerminal(context: ToCriu, part: Part, id: number): void {
  const { reader, set } = context;
  const { index, value: tty } = reader.get(part, RECORDS.TTY);
  const extra = reader.find(part, RECORDS.TTY_EXTRA);
  const isMaster = tty.driver_subtype === PTY_TYPE_MASTER;
  const has = (flag: number): boolean => ((extra?.value.flags ?? 0) & flag) !== 0;
  const rdev = isMaster
    ? PTMX_RDEV
    : ((UNIX98_PTY_SLAVE_MAJOR + Math.floor(tty.index / SLAVES_OF_MAJOR)) << 8) |
      (tty.index % SLAVES_OF_MAJOR);
  const pid = (tag: number | undefined): number =>
    tag === undefined ? 0 : pidOfTag(reader, tag, extra?.index ?? index);
  const session = pid(extra?.value.sid_ref) || sessionOf(context, part);
  set.add(IMAGES.TTY_INFO, undefined, TTY_INFO_ENTRY, {
    id,
    type: PTY,
    locked: has(EXTRA.locked),
    exclusive: has(EXTRA.exclusive),
    packet_mode: has(EXTRA.packet),
    sid: session,
    pgrp: pid(extra?.value.pgrp_ref) || groupOf(context, part, session),
    rdev: extra?.value.rdev || rdev,
    ...((tty.flags & TTY_HUPPED) === 0n ? settings(context, part) : {}),
    pty: { index: tty.index },
    ...(has(EXTRA.owner) ? { uid: extra?.value.uid ?? 0, gid: extra?.value.gid ?? 0 } : {}),
  });
  const input = reader.index(part, RECORDS.BUFFER);
  if (input !== undefined)
    set.add(IMAGES.TTY_DATA, undefined, TTY_DATA_ENTRY, { tty_id: id, data: reader.image.bytes(input) });
}

function settings(
  { reader }: ToCriu,
  part: Part,
): Pick<TtyInfoEntry, "termios" | "termios_locked" | "winsize"> {
  const { termios, winsize } = reader.get(part, RECORDS.TTY).value;
  const extra = reader.index(part, RECORDS.TTY_EXTRA);
  const [locked] =
    extra === undefined || reader.image.payload(extra).size === 0 ? [] : reader.image.structs(extra, TERMIOS);
  return {
    termios: termiosEntry(termios),
    termios_locked: termiosEntry(locked ?? NOTHING_LOCKED),
    winsize: { ...winsize },
  };
}

type Termios = {
  readonly c_iflag: number;
  readonly c_oflag: number;
  readonly c_cflag: number;
  readonly c_lflag: number;
  readonly c_line: number;
  readonly c_cc: Buffer;
};

const NOTHING_LOCKED: Termios = {
  ...{ c_iflag: 0, c_oflag: 0, c_cflag: 0, c_lflag: 0, c_line: 0 },
  c_cc: Buffer.alloc(CC_WORDS),
};

/** The speed is in `c_cflag`; the two fields of it are 0 in every set. */
function termiosEntry({ c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc }: Termios): TermiosEntry {
  const characters = Buffer.alloc(CC_WORDS * 4);
  c_cc.copy(characters);
  return {
    ...{ c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_ispeed: 0, c_ospeed: 0 },
    c_cc: Array.from({ length: CC_WORDS }, (_, i) => characters.readUInt32LE(i * 4)),
  };
}

/** The session that a terminal controls, by the SIGNAL record of its leader; 0 for none. */
function sessionOf(context: ToCriu, part: Part): number {
  return leaderOf(context, part)?.ids.sid ?? 0;
}

function groupOf(context: ToCriu, part: Part, session: number): number {
  const leader = leaderOf(context, part);
  if (leader === undefined) return session;
  const { index, value } = context.reader.get(context.signalOwner(leader.part), RECORDS.SIGNAL);
  return value.tty_pgrp > 0 ? pidOfTag(context.reader, value.tty_pgrp, index) : session;
}

/** A master and its slave are one terminal to a session. */
function leaderOf(context: ToCriu, part: Part) {
  const { reader } = context;
  const { link_objref: link } = reader.get(part, RECORDS.TTY).value;
  const isSame = (objref: number): boolean => {
    if (objref === 0) return false;
    if (objref === part.objref || objref === link) return true;
    const other = reader.object(objref, "TTY");
    return other !== undefined && reader.get(other, RECORDS.TTY).value.link_objref === part.objref;
  };
  return context.processes().find(({ ids, part: task }) => {
    if (ids.pid !== ids.sid || reader.index(task, RECORDS.TASK_OBJS) === undefined) return false;
    return isSame(reader.find(context.signalOwner(task), RECORDS.SIGNAL)?.value.tty_objref ?? 0);
  });
}
