import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { S_IALLUGO } from "../../../linux/files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { decodeTerminal, type StreamTerminal } from "../../../model/linux-cr/terminals.js";
import type { Termios } from "../../../model/special-file.js";
import { type Image, tableOwners } from "../restore/image.js";
import { isCanonical, TERMIOS_BYTES, termiosBytes } from "./modes.js";

const NEWLINE = 10;

/** One end of a terminal as the kernel is told it: a TTY object. */
export interface ImageTerminal
  extends Pick<StreamTerminal, "objref" | "index" | "isPseudo" | "isMaster" | "master" | "isExternal">,
    Pick<StreamTerminal, "isLeft" | "isLocked" | "isExclusive" | "isPacketMode" | "unread" | "foreground"> {
  /** The other end is closed, and nothing is known of this one. */
  readonly isHungUp: boolean;
  readonly isStopped: boolean;
  /** struct termios2. */
  readonly modes: Buffer;
  /** struct termios. */
  readonly lockedModes: Buffer;
  /** struct winsize. */
  readonly size: Buffer;
  /** Places of the last bytes of complete lines in what waits to be read at this end. */
  readonly ends: readonly number[];
  readonly owner:
    | { readonly uid: number; readonly gid: number; readonly mode: number | undefined }
    | undefined;
}

/** All ends of terminals in an image, by the numbers of their objects. Errors: FormatError for a damaged image. */
export function imageTerminals(reader: StreamReader): Map<number, ImageTerminal> {
  const ends = [...reader.objects("TTY")].map((part) => imageTerminal(decodeTerminal(reader, part)));
  return new Map(ends.map((end) => [end.objref, end]));
}

function imageTerminal(end: StreamTerminal): ImageTerminal {
  const { isMaster, termios = NO_MODES, lockedTermios = NO_MODES, window, unread, owner } = end;
  const modes = termiosBytes(termios);
  return {
    ...end,
    isHungUp: end.termios === undefined && !isMaster,
    isStopped: !isMaster && end.isStopped,
    modes,
    lockedModes: termiosBytes(lockedTermios).subarray(0, TERMIOS_BYTES),
    size: sizeBytes(window),
    // Where they were not saved, lines end at newlines.
    ends: isMaster || !isCanonical(modes) ? [] : (end.lineEnds ?? newlinesIn(unread)),
    owner: owner && { ...owner, mode: owner.mode === 0 ? undefined : owner.mode & S_IALLUGO },
  };
}

const NO_MODES: Termios = {
  ...{ c_iflag: 0, c_oflag: 0, c_cflag: 0, c_lflag: 0, c_line: 0, c_cc: Buffer.alloc(0) },
};

function sizeBytes(size: StreamTerminal["window"]): Buffer {
  const bytes = Buffer.alloc(8);
  const words = size === undefined ? [] : [size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel];
  for (const [i, word] of words.entries()) bytes.writeUInt16LE(word, i * 2);
  return bytes;
}

function newlinesIn(bytes: Buffer): number[] {
  return [...bytes.keys()].filter((at) => bytes[at] === NEWLINE);
}

const CONTROLLING = "/dev/tty";

/** A session of the image whose leader is in it, with the terminal that controls it. */
interface SessionTerminal {
  readonly sid: number;
  /** TTY object. */
  readonly terminal: number;
  /** Group in its foreground, 0 when that is not known. */
  readonly foreground: number;
}

/** The sessions that have a terminal. */
export function sessionTerminals({ processes, reader }: Image): SessionTerminal[] {
  const terminals = imageTerminals(reader);
  return processes.flatMap(({ ids, terminal }) => {
    if (ids.pid !== ids.sid || terminal === 0) return [];
    return [{ sid: ids.pid, terminal, foreground: terminals.get(terminal)?.foreground ?? 0 }];
  });
}

/** The slaves whose masters are outside the checkpoint: TTY objects. */
export function externalTerminals({ reader }: Image): { readonly objref: number; readonly index: number }[] {
  const terminals = imageTerminals(reader);
  return [...terminals.values()].filter(
    ({ isMaster, isHungUp, master }) => !isMaster && !isHungUp && terminals.get(master)?.isExternal === true,
  );
}

/**
 * FILEs that are /dev/tty, each with a task that has it and whose session has that terminal: only such a task can open it.
 */
export function openedBySessions(
  image: Image,
): Map<number, { readonly task: number; readonly flags: number }> {
  const bySession = new Map(sessionTerminals(image).map(({ sid, terminal }) => [sid, terminal]));
  const external = new Set(externalTerminals(image).map(({ objref }) => objref));
  const [root] = image.processes;
  const found = new Map<number, { readonly task: number; readonly flags: number }>();
  for (const { process, objects } of tableOwners(image))
    for (const { objref } of image.table(objects.files_objref)) {
      const file = image.files.get(objref);
      if (file?.record.f_type !== FILE_TYPE.terminal || file.path !== CONTROLLING || found.has(objref))
        continue;
      const terminal = Number(file.record.tty_objref);
      const { pid, sid } = process.ids;
      // A root that leads no session is in that of crimg, on the terminal of crimg.
      const isCallers = root?.ids.sid === sid && root.ids.pid !== sid && external.has(terminal);
      if (bySession.get(sid) === terminal || isCallers)
        found.set(objref, { task: pid, flags: file.flags ?? 0 });
    }
  return found;
}
