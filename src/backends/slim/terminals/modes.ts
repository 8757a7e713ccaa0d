import { TERMIOS } from "../../../formats/linux-cr/tables/tty.js";
import { ECHO, ICANON, IEXTEN, IXON } from "../../../linux/tty.js";
import type { Termios } from "../../../model/special-file.js";

/** Sizes of struct termios and struct termios2, which adds two speeds: asm-generic/termbits.h. */
export const TERMIOS_BYTES = 36;
export const TERMIOS2_BYTES = 44;
const LINE = 16;
const CHARACTERS = 17;
const NCCS = TERMIOS.fields.c_cc.size;
const VKILL = 3;
const VEOF = 4;
const VSTOP = 9;
/** VEOL and VEOL2. */
const LINE_ENDS = [11, 16] as const;
const NEWLINE = 10;
/** Nothing is made of what is read or written. */
const PLAIN = { c_iflag: 0, c_oflag: 0 };
/** A control character that there is not: _POSIX_VDISABLE. */
const DISABLED = 0;

/** struct termios or termios2 as the model has it. */
export function modesOf(bytes: Buffer): Termios {
  const word = (index: number): number => bytes.readUInt32LE(index * 4);
  const hasSpeeds = bytes.length >= TERMIOS2_BYTES;
  return {
    c_iflag: word(0),
    c_oflag: word(1),
    c_cflag: word(2),
    c_lflag: word(3),
    c_ispeed: hasSpeeds ? word(9) : 0,
    c_ospeed: hasSpeeds ? word(10) : 0,
    c_line: bytes.readUInt8(LINE),
    c_cc: bytes.subarray(CHARACTERS, CHARACTERS + NCCS),
  };
}

/** Modes as struct termios2; its first 36 bytes are struct termios. */
export function termiosBytes({
  c_iflag,
  c_oflag,
  c_cflag,
  c_lflag,
  c_ispeed = 0,
  c_ospeed = 0,
  c_line,
  c_cc,
}: Termios): Buffer {
  const bytes = Buffer.alloc(TERMIOS2_BYTES);
  for (const [index, word] of [c_iflag, c_oflag, c_cflag, c_lflag].entries())
    bytes.writeUInt32LE(word, index * 4);
  bytes.writeUInt8(c_line, LINE);
  c_cc.copy(bytes, CHARACTERS, 0, NCCS);
  bytes.writeUInt32LE(c_ispeed, TERMIOS_BYTES);
  bytes.writeUInt32LE(c_ospeed, TERMIOS_BYTES + 4);
  return bytes;
}

export function isCanonical(termios: Buffer): boolean {
  return (termios.readUInt32LE(12) & ICANON) !== 0;
}

/** Modes like these in which every byte passes as it is, at once. What was gathered into lines is lines no more. */
export function raw(termios: Buffer): Buffer {
  return termiosBytes({ ...modesOf(termios), ...PLAIN, c_lflag: 0, c_cc: Buffer.alloc(NCCS) });
}

/** Modes like these in which nothing is made of what is written; lines stay lines. */
export function quiet(termios: Buffer): Buffer {
  const modes = modesOf(termios);
  return termiosBytes({ ...modes, ...PLAIN, c_lflag: modes.c_lflag & ICANON, c_cc: Buffer.alloc(NCCS) });
}

/** Modes like these that gather lines, which end as they do in these or by `endOfFile`; all input is echoed as it is. */
export function lines(termios: Buffer, endOfFile: number, kill: number): Buffer {
  const modes = modesOf(termios);
  const c_cc = Buffer.alloc(NCCS);
  c_cc[VEOF] = endOfFile;
  c_cc[VKILL] = kill;
  for (const which of LINE_ENDS) c_cc[which] = modes.c_cc[which] ?? DISABLED;
  return termiosBytes({ ...modes, ...PLAIN, c_lflag: ICANON | ECHO | IEXTEN, c_cc });
}

/** Modes like these in which ^S stops the output. */
export function stoppable(termios: Buffer, stop: number): Buffer {
  const modes = modesOf(termios);
  const c_cc = Buffer.alloc(NCCS);
  c_cc[VSTOP] = stop;
  return termiosBytes({ ...modes, ...PLAIN, c_iflag: IXON, c_lflag: modes.c_lflag & ICANON, c_cc });
}

export function heedsStop(termios: Buffer): boolean {
  return (termios.readUInt32LE(0) & IXON) !== 0;
}

/** Whether a line that was read ends with what ends lines in these modes; else an end-of-file character ended it. */
export function hasLineEnd(termios: Buffer, line: Buffer): boolean {
  const { c_cc } = modesOf(termios);
  const last = line.at(-1);
  if (last === undefined) return false;
  return last === NEWLINE || (last !== DISABLED && LINE_ENDS.some((which) => c_cc[which] === last));
}
