import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordKind } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../formats/linux-cr/tables/files.js";
import { textPayload } from "../../formats/linux-cr/write.js";
import { wordBytes } from "../../io/words.js";
import { EFD_SEMAPHORE } from "../../linux/files.js";
import { TTY_HUPPED } from "../../linux/tty.js";
import type { SpecialFile, Terminal } from "../special-file.js";
import type { StreamReader } from "./reader.js";
import { decodeSignalSet } from "./signals.js";
import { decodeTimerfd, encodeTimerfd } from "./timers.js";

/** What an open file has that only its type has. */
export function decodeSpecial(reader: StreamReader, part: Part, type: string): SpecialFile | undefined {
  switch (type) {
    case "EVENTFD": {
      const { count = 0n, flags = 0 } = reader.get(part, RECORDS.FILE).value;
      return { kind: "eventfd", counter: count, semaphore: (flags & EFD_SEMAPHORE) !== 0 };
    }
    case "SIGNALFD": {
      const own = reader.find(part, RECORDS.SIGNALFD)?.value;
      return own && { kind: "signalfd", mask: decodeSignalSet(reader.image, own.sigmask) };
    }
    case "TIMERFD": {
      const timer = decodeTimerfd(reader, part);
      return timer && { kind: "timerfd", timer };
    }
    case "EVENTPOLL": {
      const items = part.deferred && reader.index(part.deferred, RECORDS.BUFFER);
      if (part.deferred === undefined) return { kind: "epoll", watches: undefined };
      const watched = items === undefined ? [] : reader.image.structs(items, EPOLL_ITEM);
      const watches = watched.map(({ file_objref, ...item }) => ({ ...item, fileId: file_objref }));
      return { kind: "epoll", watches };
    }
    case "INOTIFY": {
      const watches = part.parts.flatMap((each) => {
        const found = each.rule === "watch" ? reader.find(each, RECORDS.INOTIFY_WATCH) : undefined;
        return found === undefined ? [] : [{ ...found.value, path: reader.image.text(found.index) }];
      });
      return { kind: "inotify", watches };
    }
    case "MEMFD": {
      const own = reader.find(part, RECORDS.MEMFD)?.value;
      return own && { kind: "memfd", size: own.size, seals: own.seals, uid: own.uid, gid: own.gid };
    }
    case "TTY":
      return terminalOf(reader, reader.get(part, RECORDS.FILE).value.tty_objref ?? 0);
    default:
      return undefined;
  }
}

/** A record behind a FILE. */
export interface FollowingRecord {
  readonly kind: RecordKind;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly payload?: Buffer;
}

export interface EncodedSpecial {
  readonly type: string;
  readonly own?: Readonly<Record<string, unknown>>;
  readonly records: readonly FollowingRecord[];
}

/**
 * The fields of FILE that only this type has, and the records that follow it; undefined for those with objects of their
 * own. What an epoll watches stands at the end of the descriptor table; watches of an inotify without a path have no
 * record.
 */
export function encodeSpecial(special: SpecialFile): EncodedSpecial | undefined {
  switch (special.kind) {
    case "eventfd": {
      const flags = special.semaphore ? EFD_SEMAPHORE : 0;
      return { type: "EVENTFD", own: { count: special.counter, flags }, records: [] };
    }
    case "signalfd": {
      const sigmask = wordBytes("u64", [special.mask], "signal mask");
      return { type: "SIGNALFD", records: [{ kind: RECORDS.SIGNALFD, fields: { sigmask } }] };
    }
    case "timerfd":
      return {
        type: "TIMERFD",
        records: [{ kind: RECORDS.TIMERFD, fields: encodeTimerfd(special.timer) }],
      };
    case "epoll":
      return { type: "EVENTPOLL", records: [] };
    case "inotify": {
      const named = special.watches.flatMap(({ path, ...fields }) =>
        path === undefined
          ? []
          : [{ kind: RECORDS.INOTIFY_WATCH, fields, payload: textPayload(RECORDS.INOTIFY_WATCH, path) }],
      );
      const head = { kind: RECORDS.INOTIFY, fields: { nr_watches: named.length } };
      return { type: "INOTIFY", records: [head, ...named] };
    }
    default:
      return undefined;
  }
}

function terminalOf(reader: StreamReader, objref: number): Terminal | undefined {
  const object = reader.object(objref, "TTY");
  if (object === undefined) return undefined;
  const { flags, termios, winsize } = reader.get(object, RECORDS.TTY).value;
  return (flags & TTY_HUPPED) !== 0n ? undefined : { kind: "terminal", termios, window: winsize };
}
