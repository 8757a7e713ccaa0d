import type fs from "node:fs";
import { PTMX_RDEV, slaveDevice, slaveIndex } from "../../../linux/tty.js";
import { encodeExternalMaster, encodeTerminal } from "../../../model/linux-cr/terminals.js";
import type { Terminal } from "../../../model/special-file.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { OpenFileState } from "../files/open-files.js";
import type { TerminalState } from "./capture.js";
import { modesOf } from "./modes.js";

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

function masterOf(context: CheckpointContext, index: number): number {
  return context.ref("TTY", `master ${index}`, () => {
    const file = context.terminals.master(index);
    if (file === undefined) writeExternal(context, index);
    else writeEnd(context, terminalEnd(context, index, true, file.stat), 0);
  });
}

function slaveOf(context: CheckpointContext, index: number): number {
  const master = masterOf(context, index);
  return context.ref("TTY", `slave ${index}`, () =>
    writeEnd(context, terminalEnd(context, index, false, context.terminals.slave(index)?.stat), master),
  );
}

/** A master that is not in the tree: the terminal is that which the tree is restarted on. */
function writeExternal({ writer }: CheckpointContext, index: number): void {
  writer.records(encodeExternalMaster(index, writer.number()));
}

function writeHungUp(context: CheckpointContext, index: number): void {
  const master = context.ref("TTY", `gone ${index}`, () => writeExternal(context, index));
  writeEnd(context, { ...UNKNOWN, index, isMaster: false, rdev: slaveDevice(index) }, master);
}

function writeEnd(context: CheckpointContext, terminal: Terminal, master: number): void {
  const file = master === 0 ? context.writer.number() : 0;
  const tag = (pid: number): number => context.tag(pid);
  context.writer.records(encodeTerminal(terminal, { master, file, tag }));
}

/** What there is to say of an end that was hung up. */
const UNKNOWN = {
  kind: "terminal",
  ...{ type: "PTY", termios: undefined, lockedTermios: undefined, window: undefined },
  ...{ isLocked: false, isExclusive: false, isPacketMode: false, isStopped: false, isLeft: false },
  ...{ session: 0, foreground: 0, owner: undefined, unread: Buffer.alloc(0), lineEnds: undefined },
} as const;

function terminalEnd(
  { terminals }: CheckpointContext,
  index: number,
  isMaster: boolean,
  stat: fs.BigIntStats | undefined,
): Terminal {
  const state: TerminalState = terminals.state(index);
  const { input, output, isStopped } = state.queues;
  const session = terminals.session(index);
  return {
    ...UNKNOWN,
    ...{ index, isMaster, termios: modesOf(state.modes), lockedTermios: modesOf(state.lockedModes) },
    window: windowOf(state.size),
    isLocked: isMaster && state.isLocked,
    isExclusive: state.exclusive[isMaster ? 0 : 1],
    isPacketMode: isMaster && state.isPacketMode,
    isStopped: !isMaster && isStopped,
    isLeft: isMaster && state.isLeft,
    session: session?.sid ?? 0,
    foreground: session?.foreground ?? 0,
    rdev: isMaster ? PTMX_RDEV : slaveDevice(index),
    owner: stat && { uid: Number(stat.uid), gid: Number(stat.gid), mode: Number(stat.mode) },
    unread: isMaster ? output : input.bytes,
    lineEnds: isMaster ? [] : input.ends,
  };
}

function windowOf(bytes: Buffer): Terminal["window"] {
  const word = (index: number): number => bytes.readUInt16LE(index * 2);
  return { ws_row: word(0), ws_col: word(1), ws_xpixel: word(2), ws_ypixel: word(3) };
}
