import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../formats/linux-cr/tables/files.js";
import { TTY_HUPPED } from "../../linux/tty.js";
import {
  epollState,
  type FileState,
  inotifyState,
  memfdState,
  signalfdState,
  terminalState,
} from "../file-state.js";
import type { StreamReader } from "./reader.js";
import { decodeSignalSet } from "./signals.js";

/** What an open file has that only its type has. */
export function linuxCrFileState(reader: StreamReader, part: Part, type: string): FileState {
  switch (type) {
    case "EVENTFD":
      return { counter: reader.get(part, RECORDS.FILE).value.count ?? 0n };
    case "SIGNALFD": {
      const own = reader.find(part, RECORDS.SIGNALFD)?.value;
      return own === undefined ? {} : signalfdState(decodeSignalSet(reader.image, own.sigmask));
    }
    case "EVENTPOLL":
      return epollState(epollItems(reader, part));
    case "INOTIFY":
      return inotifyState(
        part.parts
          .filter(({ rule }) => rule === "watch")
          .map((watch) => reader.get(watch, RECORDS.INOTIFY_WATCH).value),
      );
    case "MEMFD": {
      const own = reader.find(part, RECORDS.MEMFD)?.value;
      return own === undefined ? {} : memfdState(own);
    }
    case "TTY":
      return terminalOf(reader, reader.get(part, RECORDS.FILE).value.tty_objref ?? 0);
    default:
      return {};
  }
}

function epollItems(reader: StreamReader, { deferred }: Part) {
  const items = deferred === undefined ? undefined : reader.index(deferred, RECORDS.BUFFER);
  return items === undefined ? [] : reader.image.structs(items, EPOLL_ITEM);
}

function terminalOf(reader: StreamReader, objref: number): FileState {
  const object = reader.object(objref, "TTY");
  if (object === undefined) return {};
  const { flags, termios, winsize } = reader.get(object, RECORDS.TTY).value;
  return (flags & TTY_HUPPED) !== 0n ? {} : terminalState(termios, winsize);
}
