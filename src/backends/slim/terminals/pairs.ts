import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { F_DUPFD_CLOEXEC, F_SETFL } from "../../../linux/files.js";
import { O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_RDWR } from "../../../linux/open-flags.js";
import { SIG_BLOCK, SIG_SETMASK, SIGTTOU } from "../../../linux/signals.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { OpenFileRecord } from "../files/image.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, openPath } from "../sys/syscall.js";
import { callerTerminal } from "./caller.js";
import { type ImageTerminal, imageTerminals } from "./image.js";
import { Pty } from "./pty.js";
import { fillQueues } from "./queues.js";

const MULTIPLEXER = "/dev/ptmx";
/** O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC. */
const OPEN_ONCE = 0o100 | 0o200 | 0o400 | 0o1000;
/** O_APPEND, O_NONBLOCK, O_ASYNC. */
const SETTABLE = 0o2000 | 0o4000 | 0o20000;
/** A number is found by taking all below it: devpts gives the lowest that is free. */
const MAX_BYTES = 4096;

/** A pseudo terminal that was made anew. */
interface Pair {
  readonly master: Pty;
  /** Of crimg only; undefined when the slave was never opened. */
  readonly slave: Pty | undefined;
}

/** The terminals of an image: pseudo terminals are made with all that waited in them, one end of each FILE is opened. */
export class Terminals {
  readonly #pairs = new Map<number, Pair>();
  readonly #all: ReadonlyMap<number, ImageTerminal>;
  #external: { readonly terminal: Pty; readonly modes: Buffer } | undefined;

  constructor(reader: StreamReader) {
    this.#all = imageTerminals(reader);
  }

  /** A descriptor of crimg for a FILE that is a terminal. Errors: BackendError. */
  open({ value }: OpenFileRecord): number {
    const end = this.#end(value.tty_objref ?? 0);
    const flags = value.f_flags;
    if (end.isHungUp) return openHungUp(flags);
    if (end.isMaster) {
      const { master } = this.#pair(end);
      const own = call("keep the master of a terminal", SYS.fcntl, master.fd, F_DUPFD_CLOEXEC, 0);
      call("set the flags of a terminal", SYS.fcntl, own, F_SETFL, flags & SETTABLE);
      return own;
    }
    const master = this.#end(end.master);
    if (master.isExternal)
      return openPath(`/proc/self/fd/${this.#caller(end).fd}`, (flags & ~OPEN_ONCE) | O_NOCTTY | O_CLOEXEC);
    return this.#pair(master).master.openSlave(flags & ~OPEN_ONCE).fd;
  }

  /** Whether a slave is the terminal that crimg runs on. */
  isExternal(objref: number): boolean {
    const end = this.#end(objref);
    return !end.isMaster && this.#end(end.master).isExternal;
  }

  /** A descriptor of crimg for the slave by which a terminal is controlled. */
  controlling(objref: number): number {
    const end = this.#end(objref);
    const master = end.isMaster ? end : this.#end(end.master);
    if (master.isExternal) return this.#caller(end).fd;
    const { slave } = this.#pair(master);
    if (slave === undefined)
      throw new BackendError(`no descriptor leads to the slave of terminal ${end.index}`);
    return slave.fd;
  }

  /** Terminals get what hinders opening and reading: all files are open. */
  finish(): void {
    for (const [objref, { master, slave }] of this.#pairs) {
      const end = this.#end(objref);
      if (end.isExclusive) master.makeExclusive();
      if (this.#slaveOf(objref)?.isExclusive) slave?.makeExclusive();
      slave?.close();
      if (end.isPacketMode) master.isPacketMode = true;
      if (end.isLocked) master.isLocked = true;
      master.close();
    }
    this.#pairs.clear();
  }

  close(): void {
    for (const { master, slave } of this.#pairs.values()) {
      slave?.close();
      master.close();
    }
    this.#pairs.clear();
    this.#external?.terminal.close();
    this.#external = undefined;
  }

  /** The restart has failed: the terminal that crimg runs on gets back the modes that it had. */
  undo(): void {
    const external = this.#external;
    if (external === undefined) return;
    withoutStops(() => {
      external.terminal.modes = external.modes;
    });
  }

  #end(objref: number): ImageTerminal {
    const end = this.#all.get(objref);
    if (end === undefined) throw new BackendError(`there is no TTY ${objref} in the checkpoint`);
    return end;
  }

  #slaveOf(master: number): ImageTerminal | undefined {
    return [...this.#all.values()].find((end) => end.master === master);
  }

  #pair(master: ImageTerminal): Pair {
    let pair = this.#pairs.get(master.objref);
    if (pair === undefined) {
      pair = makePair(master, this.#slaveOf(master.objref));
      this.#pairs.set(master.objref, pair);
    }
    return pair;
  }

  /** The terminal that crimg runs on, with the modes of the one that was outside. */
  #caller({ index, modes }: ImageTerminal): Pty {
    if (this.#external !== undefined) return this.#external.terminal;
    const caller = callerTerminal();
    if (caller === undefined) throw new BackendError(`crimg has no terminal to replace /dev/pts/${index}`);
    const flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
    const terminal = new Pty(openPath(`/proc/self/fd/${caller.fd}`, flags));
    this.#external = { terminal, modes: terminal.modes };
    withoutStops(() => {
      terminal.modes = modes;
    });
    return terminal;
  }
}

function makePair(end: ImageTerminal, other: ImageTerminal | undefined): Pair {
  const master = openMaster(end.index);
  try {
    master.isLocked = false;
    const modes = other?.modes ?? end.modes;
    const slave = other !== undefined || end.isLeft ? master.openSlave() : undefined;
    master.size = other?.size ?? end.size;
    if (slave === undefined) master.modes = modes;
    else {
      const input = { bytes: other?.unread ?? Buffer.alloc(0), ends: other?.ends ?? [] };
      const queues = { input, output: end.unread, isStopped: other?.isStopped ?? false };
      fillQueues(master, slave, queues, modes);
      setOwner(slave.fd, other?.owner);
    }
    const locked = other?.lockedModes ?? end.lockedModes;
    if (locked.some((byte) => byte !== 0)) master.lockedModes = locked;
    return { master, slave };
  } catch (error) {
    master.close();
    throw error;
  }
}

function setOwner(fd: number, owner: ImageTerminal["owner"]): void {
  if (owner === undefined) return;
  const { uid, gid, mode } = fs.fstatSync(fd);
  if (uid !== owner.uid || gid !== owner.gid) fs.fchownSync(fd, owner.uid, owner.gid);
  if (owner.mode !== undefined && (mode & 0o7777) !== owner.mode) fs.fchmodSync(fd, owner.mode);
}

/** Errors: BackendError when the number is in use. */
function openMaster(index: number): Pty {
  const others: Pty[] = [];
  try {
    while (others.length < MAX_BYTES) {
      const master = new Pty(openPath(MULTIPLEXER, O_RDWR | O_NOCTTY | O_CLOEXEC));
      const number = master.masterIndex;
      if (number === index) return master;
      others.push(master);
      if (number > index) break;
    }
  } finally {
    for (const other of others) other.close();
  }
  throw new BackendError(
    `the terminal /dev/pts/${index} of the checkpoint is in use on this host: end the task that has it`,
  );
}

/** A slave whose master is gone, whatever its number was. */
function openHungUp(flags: number): number {
  const master = new Pty(openPath(MULTIPLEXER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  try {
    master.isLocked = false;
    return master.openSlave(flags & ~OPEN_ONCE).fd;
  } finally {
    attempt(SYS.close, master.fd);
  }
}

const MASK_BYTES = 8;

/**
 * Runs `use` while this thread blocks SIGTTOU: a terminal lets it change modes and the foreground group although it is in
 * the background, tty_ioctl(4).
 */
export function withoutStops<T>(use: () => T): T {
  const blocked = Buffer.alloc(MASK_BYTES);
  blocked.writeBigUInt64LE(1n << BigInt(SIGTTOU - 1));
  const before = Buffer.alloc(MASK_BYTES);
  call("block SIGTTOU", SYS.rt_sigprocmask, SIG_BLOCK, blocked, before, MASK_BYTES);
  try {
    return use();
  } finally {
    call("set the mask of signals", SYS.rt_sigprocmask, SIG_SETMASK, before, null, MASK_BYTES);
  }
}
