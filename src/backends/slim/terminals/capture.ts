/** Pseudo terminals with their modes and queues, and the terminals of sessions; sessions themselves belong to tasks/. */

import { constants } from "node:fs";
import { AT_FDCWD } from "../../../linux/files.js";
import { slaveIndex } from "../../../linux/tty.js";
import type { Unsupported } from "../../backend.js";
import { ExternalHolders, holderWords } from "../files/external.js";
import {
  borrow,
  kindOf,
  type OpenFileState,
  type OpenFileStates,
  openFileName,
} from "../files/open-files.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import type { ProcessState } from "../tasks/capture.js";
import { Pty } from "./pty.js";
import { lookIntoQueues, type Queues } from "./queues.js";

/** Device numbers of /dev/tty and /dev/ptmx, devices.txt of the kernel. */
const CONTROLLING_TERMINAL = 0x500n;
const MASTER = 0x502n;

/** Which end of which pseudo terminal an open file is. */
interface TerminalEnd {
  /** N of /dev/pts/N. */
  readonly index: number;
  readonly isMaster: boolean;
  /** Its master is closed: a read returns end of file. */
  readonly isHungUp: boolean;
}

/** Undefined for a terminal that is not a pseudo terminal. */
function terminalEnd(file: OpenFileState): TerminalEnd | undefined {
  const { rdev } = file.stat;
  if (rdev === MASTER)
    return {
      index: borrow(file, (fd) => new Pty(fd).masterIndex),
      isMaster: true,
      isHungUp: false,
    };
  const device = borrow(file, (fd) => new Pty(fd).device);
  const index = slaveIndex(device ?? Number(rdev));
  return index === undefined ? undefined : { index, isMaster: false, isHungUp: device === undefined };
}

/** The pseudo terminals that a tree uses. */
export class Terminals {
  readonly #ends = new Map<OpenFileState, TerminalEnd | undefined>();
  readonly #states = new Map<number, TerminalState>();

  constructor(
    readonly processes: readonly ProcessState[],
    files: OpenFileStates,
  ) {
    for (const file of files.all) if (kindOf(file) === "terminal") this.#ends.set(file, terminalEnd(file));
  }

  end(file: OpenFileState): TerminalEnd | undefined {
    return this.#ends.get(file);
  }

  /** The open master of a terminal, if it is in the tree. */
  master(index: number): OpenFileState | undefined {
    return this.#find(index, true);
  }

  /** One of the open slaves of a terminal. */
  slave(index: number): OpenFileState | undefined {
    return this.#find(index, false);
  }

  /** A session of the tree that a terminal controls, and the group in its foreground. */
  session(index: number): { readonly sid: number; readonly foreground: number } | undefined {
    const found = this.processes.find(({ frozen }) => slaveIndex(frozen.stat.tty) === index);
    return found && { sid: found.frozen.stat.sid, foreground: found.frozen.stat.foregroundPgid };
  }

  /** Read at its first use. Errors: BackendError. */
  state(index: number): TerminalState {
    const state = this.#states.get(index) ?? readTerminal(index, this.master(index), this.slave(index));
    this.#states.set(index, state);
    return state;
  }

  #find(index: number, isMaster: boolean): OpenFileState | undefined {
    for (const [file, end] of this.#ends)
      if (end !== undefined && end.index === index && end.isMaster === isMaster && !end.isHungUp) return file;
    return undefined;
  }

  /** What of the terminals cannot be saved: what is not a pseudo terminal, and what reaches out of the tree. */
  unsupported(): Unsupported[] {
    const found: Unsupported[] = [];
    for (const [file, end] of this.#ends) {
      const { pid, link, stat } = file;
      if (end === undefined)
        found.push({
          pid,
          reason: `${openFileName(file)} is the terminal ${link}, and only pseudo terminals are saved`,
        });
      else if (end.isHungUp && stat.rdev === CONTROLLING_TERMINAL)
        found.push({
          pid,
          reason: `${openFileName(file)} is ${link} of a terminal that was hung up`,
        });
    }
    const masters = [...this.#ends].filter(([, end]) => end?.isMaster);
    const own = new Set(this.processes.map(({ frozen }) => frozen.stat.pid));
    const external = new ExternalHolders(
      masters.map(([, end]) => `/dev/pts/${end?.index}`),
      own,
    );
    for (const [file, end] of masters) {
      const link = `/dev/pts/${end?.index}`;
      const holder = external.holder(link);
      if (holder !== undefined)
        found.push({
          pid: file.pid,
          reason: `${openFileName(file)} is the master of ${link}, which is also open outside the tree${holderWords(holder)}`,
        });
    }
    for (const { frozen } of this.processes) {
      const { pid, sid, tty } = frozen.stat;
      if (pid === sid && tty !== 0 && slaveIndex(tty) === undefined)
        found.push({
          pid,
          reason: `task ${pid} leads the session of a terminal (device ${tty >> 8}:${tty & 0xff}) that is not a pseudo terminal`,
        });
    }
    return found;
  }
}

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
function readTerminal(
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
  // Opening and closing the slave of a master whose slave was never opened would change what its reader sees.
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
