/** What only one type of open file has, in words and numbers that do not depend on the family; empty for most. */
export type FileState = Readonly<Record<string, string | number | bigint>>;

interface EpollItem {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
}

/** What an epoll watches, epoll_ctl(2), by descriptor. */
export function epollState(items: readonly EpollItem[]): FileState {
  const sorted = sortedBy(items, ({ fd }) => fd);
  return {
    watches: listText(sorted, ({ fd, events, data }) => `fd ${fd}: ${hex(events)}, data ${hex(data)}`),
  };
}

/** What an inotify watches, by watch descriptor. */
export function inotifyState(watches: readonly { readonly wd: number; readonly mask: number }[]): FileState {
  const sorted = sortedBy(watches, ({ wd }) => wd);
  return { watches: listText(sorted, ({ wd, mask }) => `wd ${wd}: ${hex(mask)}`) };
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

/** The signals that a signalfd takes, bit n-1 is signal n. */
export function signalfdState(mask: bigint): FileState {
  return { signals: hex(mask) };
}

/** `size` in bytes, `seals` as fcntl(2) F_GET_SEALS gives them. */
export function memfdState(inode: {
  readonly size: bigint;
  readonly seals: number;
  readonly uid: number;
  readonly gid: number;
}): FileState {
  const { size, seals, uid, gid } = inode;
  return { size, seals: hex(seals), uid, gid };
}

interface Termios {
  readonly c_iflag: number;
  readonly c_oflag: number;
  readonly c_cflag: number;
  readonly c_lflag: number;
  readonly c_line: number;
  readonly c_cc: Buffer;
}

/** Modes of a terminal, termios(3), and the size of its window. */
export function terminalState(
  { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc }: Termios,
  window: { readonly ws_row: number; readonly ws_col: number } | undefined,
): FileState {
  return {
    modes: `iflag ${hex(c_iflag)}, oflag ${hex(c_oflag)}, cflag ${hex(c_cflag)}, lflag ${hex(c_lflag)}, line ${c_line}`,
    characters: c_cc.toString("hex"),
    window: `${window?.ws_row ?? 0} rows, ${window?.ws_col ?? 0} columns`,
  };
}

function hex(value: number | bigint): string {
  return `0x${(typeof value === "number" ? value >>> 0 : value).toString(16)}`;
}
