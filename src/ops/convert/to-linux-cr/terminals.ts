import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import type { TermiosEntry, TtyFileEntry, TtyInfoEntry } from "../../../formats/criu/tables/tty.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { TERMIOS } from "../../../formats/linux-cr/tables/tty.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { wordBytes } from "../../../io/words.js";
import {
  ICANON,
  PTY_TYPE_MASTER,
  PTY_TYPE_SLAVE,
  TTY_DRIVER_TYPE_PTY,
  TTY_HUPPED,
} from "../../../linux/tty.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { StructValue } from "../../../schema/struct.js";
import type { Context } from "./context.js";
import { writeFileRecord, writeIdentity, writeOwner } from "./file-parts.js";
import { isMasterEnd } from "./source-files.js";

/** TTY_EXTRA.flags. */
const EXTRA = { locked: 1, exclusive: 2, packet: 4, owner: 8, outside: 16 } as const;

/** An open pseudo terminal: the TTY object of the master stands before that of the slave, then FILE. */
export function writeTerminalFile(context: Context, file: OpenFile, objref: number): void {
  const { tty_info_id: id, flags, fown, regf_id: nodeId } = file.record as TtyFileEntry;
  const info = context.files.terminal(id) as TtyInfoEntry;
  const tty = writeTerminal(context, info);
  writeFileRecord(context, FILE_TYPE.terminal, { flags, own: { tty_objref: tty } });
  writeOwner(context, file, objref, fown, flags);
  const node = nodeId === undefined ? undefined : context.files.all.get(nodeId, "REG");
  if (node === undefined) return;
  context.files.used.nodes.add(node.id);
  const entry = node.record as RegFileEntry;
  writeIdentity(context, objref, entry);
  context.writer.record(
    RECORDS.OPENED_NAME,
    { file_objref: objref },
    textPayload(RECORDS.OPENED_NAME, entry.name),
  );
}

/** TTY object of the controlling terminal of a session: its slave; 0 when it has none. */
export function writeTerminalOfSession(context: Context, sid: number): number {
  if (sid === 0) return 0;
  const ends = context.files.terminalsOf(sid);
  const slave = ends.find((info) => info.pty !== undefined && !isMasterEnd(info));
  if (slave !== undefined) return writeTerminal(context, slave);
  if (ends.length > 0)
    context.losses.add(
      `session ${sid}`,
      "its controlling terminal",
      "the set does not have the slave of a pseudo terminal for it",
    );
  return 0;
}

function writeTerminal(context: Context, info: TtyInfoEntry): number {
  const index = info.pty?.index ?? 0;
  if (isMasterEnd(info)) return context.ref("TTY", `master ${index}`, () => writeEnd(context, info, 0));
  const other = context.files.master(index);
  const master = context.ref("TTY", `master ${index}`, () =>
    other === undefined ? writeOutsideMaster(context, index) : writeEnd(context, other, 0),
  );
  return context.ref("TTY", `slave ${index}`, () => writeEnd(context, info, master));
}

/** The records of one end; `master` is 0 for the master itself. */
function writeEnd(context: Context, info: TtyInfoEntry, master: number): void {
  const { termios, winsize } = info;
  context.writer.record(RECORDS.TTY, {
    ...endOf(context, info.pty?.index ?? 0, master),
    flags: termios === undefined ? TTY_HUPPED : 0n,
    termios: termios === undefined ? {} : modes(termios),
    winsize: winsize ?? {},
  });
  const input = context.files.terminalInput(info.id);
  if (termios !== undefined) {
    context.writer.record(RECORDS.TTY_LDISC, {
      datalen: input.length,
      icanon: (termios.c_lflag & ICANON) === 0 ? 0 : 1,
      packet: info.packet_mode ? 1 : 0,
    });
    if (input.length > 0) context.writer.buffer(input);
  }
  const hasOwner = info.uid !== undefined && info.gid !== undefined;
  context.writer.record(
    RECORDS.TTY_EXTRA,
    {
      flags:
        (info.locked ? EXTRA.locked : 0) |
        (info.exclusive ? EXTRA.exclusive : 0) |
        (info.packet_mode ? EXTRA.packet : 0) |
        (hasOwner ? EXTRA.owner : 0),
      uid: info.uid ?? 0,
      gid: info.gid ?? 0,
      sid_ref: tagOf(context, info.sid),
      pgrp_ref: tagOf(context, info.pgrp),
      rdev: info.rdev,
    },
    info.termios_locked === undefined ? Buffer.alloc(0) : lockedModes(context, info.termios_locked),
  );
}

/** A slave without a master in the set keeps the terminal that it is restarted on: the master is there in name only. */
function writeOutsideMaster(context: Context, index: number): void {
  context.writer.record(RECORDS.TTY, { ...endOf(context, index, 0), flags: TTY_HUPPED });
  context.writer.record(RECORDS.TTY_EXTRA, { flags: EXTRA.outside });
}

function endOf(context: Context, index: number, master: number): Readonly<Record<string, number>> {
  return {
    driver_type: TTY_DRIVER_TYPE_PTY,
    driver_subtype: master === 0 ? PTY_TYPE_MASTER : PTY_TYPE_SLAVE,
    link_objref: master,
    file_objref: master === 0 ? context.writer.number() : 0,
    index,
  };
}

/** A session or group outside of the set has no tag: the terminal is that of whoever restarts. */
function tagOf(context: Context, pid: number): number {
  return pid === 0 ? 0 : (context.tag(pid) ?? 0);
}

/** criu keeps the 19 control characters in the bytes of 32-bit words; what follows them is chance. */
function modes(entry: TermiosEntry): StructValue<typeof TERMIOS> {
  const { size } = TERMIOS.fields.c_cc;
  const stored = wordBytes("u32", entry.c_cc.slice(0, Math.ceil(size / 4)), "word of control characters");
  const { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_ispeed, c_ospeed } = entry;
  return {
    ...{ c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_ispeed, c_ospeed },
    c_cc: Buffer.concat([stored], size),
  };
}

function lockedModes(context: Context, entry: TermiosEntry): Buffer {
  return context.writer.bytesOf(TERMIOS, modes(entry));
}
