import type fs from "node:fs";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { TERMIOS } from "../../../formats/linux-cr/tables/tty.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import {
  PTMX_RDEV,
  PTY_TYPE_MASTER,
  PTY_TYPE_SLAVE,
  TTY_DRIVER_TYPE_PTY,
  TTY_HUPPED,
  TTY_OTHER_CLOSED,
} from "../../../linux/tty.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { OpenFileState } from "../files/open-files.js";
import type { TerminalState } from "./capture.js";
import { EXTRA } from "./image.js";
import { isCanonical, modesOf } from "./modes.js";
import { slaveDevice, slaveIndex } from "./pty.js";

/** Bits of TTY_LDISC.read_flags and bytes of a buffer: N_TTY_BUF_SIZE. */
const READ_FLAGS_BYTES = 512;

/** The TTY objects of an open terminal that is new, then its number for FILE. */
export function terminalOf(context: CheckpointContext, file: OpenFileState): number {
  const end = context.terminals.end(file);
  if (end === undefined) throw new Error(`${file.link} is not supported`);
  if (end.isHungUp) return context.ref("TTY", `hung up ${file.id}`, () => writeHungUp(context, end.index));
  return end.isMaster ? masterOf(context, end.index) : slaveOf(context, end.index);
}

/** TTY object of the terminal that controls the session which a process leads; 0 when it has none. */
export function controllingTerminal(context: CheckpointContext, pid: number): number {
  const { sid, tty } = context.processes.get(pid)?.frozen.stat ?? { sid: 0, tty: 0 };
  if (pid !== sid || tty === 0) return 0;
  const index = slaveIndex(tty);
  return index === undefined ? 0 : slaveOf(context, index);
}

/** OPENED_NAME: the node by which a terminal was opened, /dev/tty for one. */
export function writeOpenedName({ writer }: CheckpointContext, objref: number, path: string): void {
  writer.record(RECORDS.OPENED_NAME, { file_objref: objref }, textPayload(RECORDS.OPENED_NAME, path));
}

function masterOf(context: CheckpointContext, index: number): number {
  return context.ref("TTY", `master ${index}`, () => {
    const file = context.terminals.master(index);
    if (file === undefined) writeExternal(context, index);
    else writeEnd(context, index, context.terminals.state(index), 0, file.stat);
  });
}

function slaveOf(context: CheckpointContext, index: number): number {
  const master = masterOf(context, index);
  return context.ref("TTY", `slave ${index}`, () =>
    writeEnd(context, index, context.terminals.state(index), master, context.terminals.slave(index)?.stat),
  );
}

/** A master that is not in the tree: the terminal is that which the tree is restarted on. */
function writeExternal(context: CheckpointContext, index: number): void {
  context.writer.record(RECORDS.TTY, { ...identity(context, index, 0), flags: TTY_HUPPED });
  context.writer.record(RECORDS.TTY_EXTRA, { flags: EXTRA.external });
}

function writeHungUp(context: CheckpointContext, index: number): void {
  const master = context.ref("TTY", `gone ${index}`, () => writeExternal(context, index));
  context.writer.record(RECORDS.TTY, { ...identity(context, index, master), flags: TTY_HUPPED });
}

function identity(context: CheckpointContext, index: number, master: number): Record<string, number> {
  return {
    driver_type: TTY_DRIVER_TYPE_PTY,
    driver_subtype: master === 0 ? PTY_TYPE_MASTER : PTY_TYPE_SLAVE,
    link_objref: master,
    file_objref: master === 0 ? context.writer.number() : 0,
    index,
  };
}

function writeEnd(
  context: CheckpointContext,
  index: number,
  state: TerminalState,
  master: number,
  stat: fs.BigIntStats | undefined,
): void {
  const { writer } = context;
  const isMaster = master === 0;
  const { input, output, isStopped } = state.queues;
  const bytes = isMaster ? output : input.bytes;
  const ends = isMaster ? [] : input.ends;
  writer.record(RECORDS.TTY, {
    ...identity(context, index, master),
    flags: isMaster && state.isLeft ? TTY_OTHER_CLOSED : 0n,
    termios: modesOf(state.modes),
    winsize: windowOf(state.size),
  });
  const packet = Number(isMaster && state.isPacketMode);
  writer.record(RECORDS.TTY_LDISC, {
    datalen: bytes.length,
    canon_datalen: (ends.at(-1) ?? -1) + 1,
    canon_data: ends.length,
    stopped: Number(!isMaster && isStopped),
    packet,
    icanon: Number(isCanonical(state.modes)),
    read_flags: bits(ends),
  });
  if (bytes.length > 0) writer.buffer(bytes);
  const session = context.terminals.session(index);
  const isExclusive = state.exclusive[isMaster ? 0 : 1];
  writer.record(
    RECORDS.TTY_EXTRA,
    {
      flags:
        (isMaster && state.isLocked ? EXTRA.locked : 0) |
        (isExclusive ? EXTRA.exclusive : 0) |
        (packet ? EXTRA.packet : 0) |
        (stat === undefined ? 0 : EXTRA.owner),
      uid: Number(stat?.uid ?? 0n),
      gid: Number(stat?.gid ?? 0n),
      mode: Number(stat?.mode ?? 0n),
      sid_ref: context.tag(session?.sid ?? 0),
      pgrp_ref: context.tag(session?.foreground ?? 0),
      rdev: isMaster ? PTMX_RDEV : slaveDevice(index),
    },
    writer.bytesOf(TERMIOS, modesOf(state.lockedModes)),
  );
}

function windowOf(bytes: Buffer): Record<string, number> {
  const word = (index: number): number => bytes.readUInt16LE(index * 2);
  return { ws_row: word(0), ws_col: word(1), ws_xpixel: word(2), ws_ypixel: word(3) };
}

function bits(places: readonly number[]): Buffer {
  const set = Buffer.alloc(READ_FLAGS_BYTES);
  for (const place of places) set[place >> 3] = (set[place >> 3] as number) | (1 << (place & 7));
  return set;
}
