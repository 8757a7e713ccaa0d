import { constants } from "node:fs";
import { AT_FDCWD } from "../../../linux/files.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import { Pty } from "../terminal/pty.js";
import { lookIntoQueues, type Queues } from "../terminal/queues.js";
import { borrow, type OpenFileState } from "./descriptions.js";

/** A pseudo terminal as it is: what is common to both ends, and what is not. */
export interface TerminalState {
  /** struct termios2. */
  readonly modes: Buffer;
  /** struct termios. */
  readonly lockedModes: Buffer;
  /** struct winsize. */
  readonly size: Buffer;
  readonly queues: Queues;
  readonly isPacketMode: boolean;
  readonly isLocked: boolean;
  /** Master, slave. */
  readonly exclusive: readonly [boolean, boolean];
  /** The slaves that there were are closed. */
  readonly isLeft: boolean;
}

const EMPTY: Queues = {
  input: { bytes: Buffer.alloc(0), ends: [] },
  output: Buffer.alloc(0),
  isStopped: false,
};

/**
 * Reads a terminal by its ends, as far as they are in the tree. What waits in it is taken out and put back; what waits in
 * one whose master is elsewhere stays there. Errors: BackendError.
 */
export function readTerminal(
  index: number,
  master: OpenFileState | undefined,
  slave: OpenFileState | undefined,
): TerminalState {
  if (master !== undefined) return borrow(master, (fd) => readPair(new Pty(fd), slave !== undefined));
  if (slave !== undefined) return borrow(slave, (fd) => readExternal(new Pty(fd)));
  // A session has a terminal that none of its tasks has open.
  const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
  const path = Buffer.from(`/dev/pts/${index}\0`);
  const fd = call(`open /dev/pts/${index}`, SYS.openat, AT_FDCWD, path, O_RDWR | O_NOCTTY | O_NONBLOCK);
  try {
    return readExternal(new Pty(fd));
  } finally {
    attempt(SYS.close, fd);
  }
}

function readPair(master: Pty, isOpen: boolean): TerminalState {
  const { isLocked, isLeft, isPacketMode } = master;
  const common = {
    modes: master.modes,
    lockedModes: master.lockedModes,
    size: master.size,
    ...{ isLocked, isLeft, isPacketMode },
  };
  // Who opened and closed the slave of a master that nobody was at would change what its reader meets.
  if (!isOpen && !isLeft) return { ...common, queues: EMPTY, exclusive: [master.isExclusive, false] };
  if (isLocked) master.isLocked = false;
  const slave = master.openSlave();
  try {
    const exclusive = [master.isExclusive, slave.isExclusive] as const;
    return { ...common, exclusive, queues: lookIntoQueues(master, slave) };
  } finally {
    slave.close();
    if (isLocked) master.isLocked = true;
  }
}

function readExternal(slave: Pty): TerminalState {
  return {
    modes: slave.modes,
    lockedModes: slave.lockedModes,
    size: slave.size,
    queues: EMPTY,
    isPacketMode: false,
    isLocked: false,
    exclusive: [false, slave.isExclusive],
    isLeft: false,
  };
}
