import type { Timer } from "./timer.js";

/**
 * What only one type of open file has: the counter of an eventfd, what an epoll or inotify watches, the signals of a
 * signalfd, the timer of a timerfd, a memfd's memory, the settings of a terminal.
 */
export type SpecialFile = Eventfd | Signalfd | Timerfd | Epoll | Inotify | Memfd | Terminal;

/** eventfd(2); without `semaphore` a read takes the whole counter. */
export interface Eventfd {
  readonly kind: "eventfd";
  readonly counter: bigint;
  readonly semaphore: boolean;
}

/** signalfd(2); bit n-1 is signal n. */
export interface Signalfd {
  readonly kind: "signalfd";
  readonly mask: bigint;
}

/** timerfd_create(2) */
export interface Timerfd {
  readonly kind: "timerfd";
  readonly timer: Timer;
}

/** The timers of those open files that are timerfds, each once. */
export function timerfds(
  files: Iterable<{ readonly type: string; readonly special: SpecialFile | undefined } | undefined>,
): Timer[] {
  return [...new Set(files)].flatMap((file) => {
    const special = file?.type === "TIMERFD" ? file.special : undefined;
    return special?.kind === "timerfd" ? special.timer : [];
  });
}

export interface Epoll {
  readonly kind: "epoll";
  /** Undefined when the image does not say what it watches. */
  readonly watches: readonly EpollWatch[] | undefined;
}

/** epoll_ctl(2) */
export interface EpollWatch {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
  /** The FILE object that is watched, where the image names it. */
  readonly fileId: number | undefined;
}

export interface Inotify {
  readonly kind: "inotify";
  readonly watches: readonly InotifyWatch[];
}

/** inotify_add_watch(2); `path` is undefined where the image only has a handle of the file system. */
export interface InotifyWatch {
  readonly wd: number;
  readonly mask: number;
  readonly ino: bigint;
  readonly dev: number;
  readonly path: string | undefined;
}

/** `size` in bytes, `seals` as fcntl(2) F_GET_SEALS gives them. */
export interface Memfd {
  readonly kind: "memfd";
  /** As memfd_create(2) was told it: no path. */
  readonly name: string;
  readonly size: bigint;
  readonly seals: number;
  readonly uid: number;
  readonly gid: number;
  /** st_mode, where the image has it. */
  readonly mode: number | undefined;
  /** MFD_HUGETLB with the size of the pages, 0 for usual ones. */
  readonly hugePages: number;
}

/** An open terminal, or one end of a pseudo terminal. */
export interface Terminal {
  readonly kind: "terminal";
  /** As criu names it: PTY, CONSOLE, VT … */
  readonly type: string;
  /** N of /dev/pts/N; undefined for what is no pseudo terminal. */
  readonly index: number | undefined;
  readonly isMaster: boolean;
  /** Undefined for one that was hung up. */
  readonly termios: Termios | undefined;
  readonly lockedTermios: Termios | undefined;
  readonly window: Window | undefined;
  /** Its slave cannot be opened yet; it cannot be opened again; its master reads packets, ioctl_tty(2). */
  readonly isLocked: boolean;
  readonly isExclusive: boolean;
  readonly isPacketMode: boolean;
  /** Its output was stopped (^S). */
  readonly isStopped: boolean;
  /** A master whose slaves were closed. */
  readonly isLeft: boolean;
  /** Session that it controls and the group in its foreground, 0 for none, or when the image does not say. */
  readonly session: number;
  readonly foreground: number;
  /** 0 when not stored. */
  readonly rdev: number;
  /** Of its node. */
  readonly owner: { readonly uid: number; readonly gid: number; readonly mode: number } | undefined;
  /** What waits to be read. */
  readonly unread: Buffer;
  /** Places of the last bytes of complete lines in it; undefined when the image does not say. */
  readonly lineEnds: readonly number[] | undefined;
}

/** Modes of a terminal, termios(3); speeds are 0 where they stand in c_cflag alone. */
export interface Termios {
  readonly c_iflag: number;
  readonly c_oflag: number;
  readonly c_cflag: number;
  readonly c_lflag: number;
  readonly c_line: number;
  readonly c_cc: Buffer;
  readonly c_ispeed?: number;
  readonly c_ospeed?: number;
}

/** struct winsize */
interface Window {
  readonly ws_row: number;
  readonly ws_col: number;
  readonly ws_xpixel: number;
  readonly ws_ypixel: number;
}

/** In words and numbers for a person, without what a timer shows; empty for most files. */
export type FileState = Readonly<Record<string, string | number | bigint>>;

export function fileState(special: SpecialFile | undefined): FileState {
  switch (special?.kind) {
    case "eventfd":
      return { counter: special.counter };
    case "signalfd":
      return { signals: hex(special.mask) };
    case "epoll": {
      const watches = sortedBy(special.watches ?? [], ({ fd }) => fd);
      return {
        watches: listText(watches, ({ fd, events, data }) => `fd ${fd}: ${hex(events)}, data ${hex(data)}`),
      };
    }
    case "inotify": {
      const watches = sortedBy(special.watches, ({ wd }) => wd);
      return { watches: listText(watches, ({ wd, mask }) => `wd ${wd}: ${hex(mask)}`) };
    }
    case "memfd": {
      const { size, seals, uid, gid } = special;
      return { size, seals: hex(seals), uid, gid };
    }
    case "terminal":
      return terminalState(special);
    default:
      return {};
  }
}

/** The items themselves where they are in order, as a kernel lists them. */
function sortedBy<T>(items: readonly T[], number: (item: T) => number): readonly T[] {
  const isSorted = items.every((item, at) => at === 0 || number(items[at - 1] as T) <= number(item));
  return isSorted ? items : items.toSorted((a, b) => number(a) - number(b));
}

/** Items that become one piece of text together: a text of 400,000 single ones takes five times as much memory. */
const ITEMS_A_PIECE = 1000;

function listText<T>(items: readonly T[], text: (item: T) => string): string {
  const pieces: string[] = [];
  for (let at = 0; at < items.length; at += ITEMS_A_PIECE)
    pieces.push(
      items
        .slice(at, at + ITEMS_A_PIECE)
        .map(text)
        .join("; "),
    );
  return pieces.join("; ");
}

function terminalState({ termios, window }: Terminal): FileState {
  if (termios === undefined) return {};
  const { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc } = termios;
  return {
    modes: `iflag ${hex(c_iflag)}, oflag ${hex(c_oflag)}, cflag ${hex(c_cflag)}, lflag ${hex(c_lflag)}, line ${c_line}`,
    characters: c_cc.toString("hex"),
    window: `${window?.ws_row ?? 0} rows, ${window?.ws_col ?? 0} columns`,
  };
}

function hex(value: number | bigint): string {
  return `0x${(typeof value === "number" ? value >>> 0 : value).toString(16)}`;
}
