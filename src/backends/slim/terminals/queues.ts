import { BackendError } from "../../../io/errors.js";
import { waitFor } from "../ptrace/wait.js";
import { hasLineEnd, heedsStop, isCanonical, lines, quiet, raw, stoppable, TERMIOS_BYTES } from "./modes.js";
import type { Pty } from "./pty.js";

/** N_TTY_BUF_SIZE of drivers/tty/n_tty.c, and what the format has room for. */
const BUFFER_BYTES = 4096;
/** A buffer that takes no more has as much at least. */
const FULL = 3500;
/** The byte in a buffer where ^D was typed: __DISABLED_CHAR. */
const END_OF_FILE = 0;
/** ^S */
const STOP = 0x13;
const SECONDS = 5;
const NOTHING_LOCKED = Buffer.alloc(TERMIOS_BYTES);

/** What was typed and not read yet. */
interface Input {
  readonly bytes: Buffer;
  /** Places in `bytes` of the last bytes of lines that are complete; empty where lines are not gathered. */
  readonly ends: readonly number[];
}

/** What waits in a pseudo terminal. */
export interface Queues {
  /** For the slave. */
  readonly input: Input;
  /** For the master. */
  readonly output: Buffer;
  /** Output is stopped, as after ^S. */
  readonly isStopped: boolean;
}

/**
 * The unread bytes of a terminal whose users are stopped. The kernel cannot show them: they are read and written back.
 * Both are descriptors of crimg, that of the slave with O_NONBLOCK. Errors: BackendError.
 */
export function lookIntoQueues(master: Pty, slave: Pty): Queues {
  const { modes, lockedModes } = slave;
  const { isPacketMode } = master;
  const isLocked = !lockedModes.equals(NOTHING_LOCKED);
  if (isPacketMode) master.isPacketMode = false;
  if (isLocked) slave.lockedModes = NOTHING_LOCKED;
  try {
    const output = drain(master);
    const queues = { output, isStopped: slave.isStopped, input: takeInput(slave, modes) };
    if (output.length > 0 || queues.input.bytes.length > 0 || queues.isStopped)
      fillQueues(master, slave, queues, modes);
    for (const bytes of [output, queues.input.bytes]) assertStorable(bytes);
    return queues;
  } finally {
    if (isLocked) slave.lockedModes = lockedModes;
    if (isPacketMode) master.isPacketMode = true;
  }
}

/**
 * Puts into an empty terminal what is to wait in it; it must not be in packet mode. `modes`: struct termios2, those that
 * it has in the end. Errors: BackendError.
 */
export function fillQueues(
  master: Pty,
  slave: Pty,
  { input, output, isStopped }: Queues,
  modes: Buffer,
): void {
  // What is stopped takes nothing; without IXON ^S stops nothing.
  slave.modes = quiet(modes);
  slave.isHeld = false;
  if (isCanonical(modes)) fillLines(master, slave, input, modes);
  else {
    master.write(input.bytes);
    arrival(input.bytes.length, () => slave.unread);
  }
  slave.modes = quiet(modes);
  slave.write(output);
  arrival(output.length, () => master.unread);
  if (isStopped) stop(master, slave, modes);
  slave.modes = modes;
}

/** All that the master can read. */
function drain(master: Pty): Buffer {
  const found: Buffer[] = [];
  for (let size = master.unread; size > 0; size = master.unread)
    found.push(master.read(size) ?? Buffer.alloc(0));
  return Buffer.concat(found);
}

/** Lines are read one by one, as the task would read them; what is left when no line is complete is no line yet. */
function takeInput(slave: Pty, modes: Buffer): Input {
  const found: Buffer[] = [];
  const ends: number[] = [];
  let size = 0;
  const add = (bytes: Buffer): void => {
    found.push(bytes);
    size += bytes.length;
  };
  if (isCanonical(modes))
    for (let line = slave.read(BUFFER_BYTES); line !== undefined && size < BUFFER_BYTES; ) {
      add(line);
      if (!hasLineEnd(modes, line)) add(Buffer.of(END_OF_FILE));
      ends.push(size - 1);
      line = slave.read(BUFFER_BYTES);
    }
  slave.modes = raw(modes);
  for (let unread = slave.unread; unread > 0; unread = slave.unread)
    add(slave.read(unread) ?? Buffer.alloc(0));
  slave.modes = modes;
  return { bytes: Buffer.concat(found), ends };
}

function assertStorable({ length }: Buffer): void {
  if (length > BUFFER_BYTES)
    throw new BackendError(
      `${length} unread bytes in a pseudo terminal exceed the limit of an image, ${BUFFER_BYTES}: try again when they have been read`,
    );
}

/** Types lines. Each byte is echoed once the kernel has dealt with it: only then may the modes change. */
function fillLines(master: Pty, slave: Pty, { bytes, ends }: Input, modes: Buffer): void {
  if (bytes.length === 0) return;
  const [endOfFile, kill, other] = unused(bytes);
  const typed = Buffer.from(bytes);
  let echoes = typed.length;
  for (const end of ends) {
    if (bytes[end] !== END_OF_FILE) continue;
    typed[end] = endOfFile;
    echoes--;
  }
  slave.modes = lines(modes, endOfFile, kill);
  master.write(typed);
  // The end of a file has no echo: a byte that is typed and taken back tells that all before it is done.
  if (ends.at(-1) === bytes.length - 1) {
    master.write(Buffer.of(other, kill));
    echoes += 2;
  }
  let heard = 0;
  arrival(echoes, () => {
    heard += drain(master).length;
    return heard;
  });
}

/** Three bytes above the control characters that do not occur. Errors: BackendError when there are none. */
function unused(bytes: Buffer): [number, number, number] {
  const there = new Set(bytes);
  const free = Array.from({ length: 0xff - 0x20 }, (_, i) => 0xff - i).filter((byte) => !there.has(byte));
  const [a, b, c] = free;
  if (a === undefined || b === undefined || c === undefined)
    throw new BackendError("the unread lines of a terminal use nearly every byte value");
  return [a, b, c];
}

/** Stops the output as it was stopped: by ^S where that is heeded, else as by tcflow(3). */
function stop(master: Pty, slave: Pty, modes: Buffer): void {
  if (!heedsStop(modes)) {
    slave.isHeld = true;
    return;
  }
  slave.modes = stoppable(modes, STOP);
  master.write(Buffer.of(STOP));
  waitFor("a terminal does not stop", SECONDS, () => (slave.isStopped ? true : undefined));
}

/** Waits until bytes that were written can be read; of more than a buffer holds, until it is full. */
function arrival(size: number, arrived: () => number): void {
  const expected = Math.min(size, FULL);
  waitFor(`${size} bytes do not arrive at the other end of a terminal`, SECONDS, () =>
    arrived() >= expected ? true : undefined,
  );
}
