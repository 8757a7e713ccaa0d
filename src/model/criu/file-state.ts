import type { CriuImageSet } from "../../formats/criu/image-set.js";
import type { EventfdFileEntry } from "../../formats/criu/tables/eventfd.js";
import type { EventpollFileEntry } from "../../formats/criu/tables/eventpoll.js";
import type { InotifyFileEntry } from "../../formats/criu/tables/fsnotify.js";
import type { SignalfdEntry } from "../../formats/criu/tables/siginfo.js";
import type { TermiosEntry } from "../../formats/criu/tables/tty.js";
import { wordBytes } from "../../io/words.js";
import {
  epollState,
  type FileState,
  inotifyState,
  memfdState,
  signalfdState,
  terminalState,
} from "../file-state.js";
import { memfdInode, ttyInfo } from "./referred-records.js";

/** What an open file has that only its type has. */
export function criuFileState(
  type: string,
  record: Readonly<Record<string, unknown>>,
  set: CriuImageSet,
): FileState {
  switch (type) {
    case "EVENTFD":
      return { counter: (record as EventfdFileEntry).counter };
    case "SIGNALFD":
      return signalfdState((record as SignalfdEntry).sigmask);
    case "EVENTPOLL":
      return epollState((record as EventpollFileEntry).tfd.map((item) => ({ ...item, fd: item.tfd })));
    case "INOTIFY":
      return inotifyState((record as InotifyFileEntry).wd);
    case "MEMFD":
      return memfdOf(set, record.inode_id as number);
    case "TTY":
      return terminalOf(set, record.tty_info_id as number);
    default:
      return {};
  }
}

function memfdOf(set: CriuImageSet, id: number): FileState {
  const inode = memfdInode(set, id);
  return inode === undefined ? {} : memfdState(inode);
}

/** Control characters that the kernel's structure has. */
const CONTROL_CHARACTERS = 19;

function terminalOf(set: CriuImageSet, id: number): FileState {
  const { termios, winsize } = ttyInfo(set, id) ?? {};
  if (termios === undefined) return {};
  return terminalState({ ...termios, c_cc: controlCharacters(termios) }, winsize);
}

/** One a byte in the first words. */
function controlCharacters({ c_cc: words }: TermiosEntry): Buffer {
  return wordBytes("u32", words, "word of control characters").subarray(0, CONTROL_CHARACTERS);
}
