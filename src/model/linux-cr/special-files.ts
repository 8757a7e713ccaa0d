import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { NewRecord } from "../../formats/linux-cr/stream-writer.js";
import { EPOLL_ITEM } from "../../formats/linux-cr/tables/files.js";
import { textPayload } from "../../formats/linux-cr/write.js";
import { wordBytes } from "../../io/words.js";
import { EFD_SEMAPHORE } from "../../linux/files.js";
import type { Memfd, SpecialFile } from "../special-file.js";
import type { StreamReader } from "./reader.js";
import { decodeSignalSet } from "./signals.js";
import { decodeTerminal } from "./terminals.js";
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
      const own = reader.find(part, RECORDS.MEMFD);
      if (own === undefined) return undefined;
      const { size, seals, uid, gid, mode, flags } = own.value;
      const stored = { size, seals, uid, gid, mode: mode || undefined, hugePages: flags };
      return { kind: "memfd", name: reader.image.text(own.index), ...stored };
    }
    case "TTY": {
      const terminal = reader.object(reader.get(part, RECORDS.FILE).value.tty_objref ?? 0, "TTY");
      return terminal && decodeTerminal(reader, terminal);
    }
    default:
      return undefined;
  }
}

export interface EncodedSpecial {
  readonly own?: Readonly<Record<string, unknown>>;
  readonly records: readonly NewRecord[];
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
      return { own: { count: special.counter, flags }, records: [] };
    }
    case "signalfd": {
      const sigmask = wordBytes("u64", [special.mask], "signal mask");
      return { records: [{ kind: RECORDS.SIGNALFD, fields: { sigmask } }] };
    }
    case "timerfd":
      return {
        records: [{ kind: RECORDS.TIMERFD, fields: encodeTimerfd(special.timer) }],
      };
    case "epoll":
      return { records: [] };
    case "inotify": {
      const named = special.watches.flatMap(({ path, ...fields }) =>
        path === undefined
          ? []
          : [{ kind: RECORDS.INOTIFY_WATCH, fields, payload: textPayload(RECORDS.INOTIFY_WATCH, path) }],
      );
      const head = { kind: RECORDS.INOTIFY, fields: { nr_watches: named.length } };
      return { records: [head, ...named] };
    }
    default:
      return undefined;
  }
}

/** MEMFD of a memory file; `inode` is the hidden number of its inode. Its pages stand with the first file of it. */
export function encodeMemfd(memfd: Omit<Memfd, "kind">, inode: number): NewRecord {
  const { name, seals, mode, uid, gid, hugePages, size } = memfd;
  return {
    kind: RECORDS.MEMFD,
    fields: { inode_objref: inode, seals, mode: mode ?? 0, uid, gid, flags: hugePages, size },
    payload: textPayload(RECORDS.MEMFD, name),
  };
}
