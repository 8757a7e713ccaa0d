import type { CriuImageSet } from "../../formats/criu/image-set.js";
import {
  type TermiosEntry,
  TTY_TYPE,
  type TtyDataEntry,
  type TtyInfoEntry,
} from "../../formats/criu/tables/tty.js";
import { enumName, enumNumber } from "../../io/enums.js";
import { wordBytes } from "../../io/words.js";
import type { Terminal, Termios } from "../special-file.js";
import { ttyData, ttyInfo } from "./referred-records.js";

/** Major device number of /dev/ptmx. */
const PTMX_MAJOR = 5;
/** criu stores 19 words, the first bytes of which are the 19 control characters; what follows them is chance. */
const CC_WORDS = 19;
const CONTROL_CHARACTERS = 19;
const WORDS_IN_USE = Math.ceil(CONTROL_CHARACTERS / 4);

/** A terminal by the `tty_info_id` of the open file; undefined when the set does not have it. */
export function terminalById(set: CriuImageSet, id: number): Terminal | undefined {
  const info = ttyInfo(set, id);
  return info && new CriuTerminal(info, set);
}

/** A class, since a set may hold 30,000. criu stores neither stopped output, nor where lines end, nor closed slaves. */
export class CriuTerminal implements Terminal {
  readonly kind = "terminal";
  readonly isStopped = false;
  readonly isLeft = false;
  readonly lineEnds = undefined;

  constructor(
    private readonly info: TtyInfoEntry,
    private readonly set: CriuImageSet,
  ) {}

  get type(): string {
    return enumName(TTY_TYPE, this.info.type);
  }

  get index(): number | undefined {
    return this.info.pty?.index;
  }

  get isMaster(): boolean {
    return this.info.rdev >>> 8 === PTMX_MAJOR;
  }

  get termios(): Termios | undefined {
    return this.info.termios && decodeTermios(this.info.termios);
  }

  get lockedTermios(): Termios | undefined {
    return this.info.termios_locked && decodeTermios(this.info.termios_locked);
  }

  get window(): Terminal["window"] {
    return this.info.winsize;
  }

  get isLocked(): boolean {
    return this.info.locked;
  }

  get isExclusive(): boolean {
    return this.info.exclusive;
  }

  get isPacketMode(): boolean {
    return this.info.packet_mode;
  }

  get session(): number {
    return this.info.sid;
  }

  get foreground(): number {
    return this.info.pgrp;
  }

  get rdev(): number {
    return this.info.rdev;
  }

  get owner(): Terminal["owner"] {
    const { uid, gid } = this.info;
    return uid === undefined || gid === undefined ? undefined : { uid, gid, mode: 0 };
  }

  get unread(): Buffer {
    return ttyData(this.set, this.info.id)?.data ?? Buffer.alloc(0);
  }
}

function decodeTermios({ c_cc: words, ...modes }: TermiosEntry): Termios {
  const c_cc = wordBytes("u32", words.slice(0, WORDS_IN_USE), "word of control characters");
  return { ...modes, c_cc: c_cc.subarray(0, CONTROL_CHARACTERS) };
}

/** The entry of a terminal, and what waits in it; criu wants the locked modes of every one that was not hung up. */
export function encodeTerminal(
  terminal: Terminal,
  id: number,
): { readonly info: TtyInfoEntry; readonly data: TtyDataEntry | undefined } {
  const { type, index, termios, lockedTermios, window, session, foreground, rdev, owner, unread } = terminal;
  return {
    info: {
      ...{ id, type: enumNumber(TTY_TYPE, type), sid: session, pgrp: foreground, rdev },
      ...{ locked: terminal.isLocked, exclusive: terminal.isExclusive, packet_mode: terminal.isPacketMode },
      ...(termios === undefined
        ? {}
        : {
            termios: encodeTermios(termios),
            termios_locked: encodeTermios(lockedTermios ?? NOTHING_LOCKED),
            ...(window === undefined ? {} : { winsize: { ...window } }),
          }),
      ...(index === undefined ? {} : { pty: { index } }),
      ...(owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }),
    },
    data: unread.length === 0 ? undefined : { tty_id: id, data: unread },
  };
}

const NOTHING_LOCKED: Termios = {
  ...{ c_iflag: 0, c_oflag: 0, c_cflag: 0, c_lflag: 0, c_line: 0, c_cc: Buffer.alloc(CONTROL_CHARACTERS) },
};

/** The speed is in `c_cflag`; the two fields of it are 0 in every set. */
function encodeTermios({ c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc }: Termios): TermiosEntry {
  const characters = Buffer.alloc(CC_WORDS * 4);
  c_cc.copy(characters);
  return {
    ...{ c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_ispeed: 0, c_ospeed: 0 },
    c_cc: Array.from({ length: CC_WORDS }, (_, i) => characters.readUInt32LE(i * 4)),
  };
}
