import type { CriuImageSet } from "../../formats/criu/image-set.js";
import type { EventfdFileEntry } from "../../formats/criu/tables/eventfd.js";
import type { EventpollFileEntry, EventpollTfdEntry } from "../../formats/criu/tables/eventpoll.js";
import type { FileEntry } from "../../formats/criu/tables/fdinfo.js";
import type { FownEntry } from "../../formats/criu/tables/fown.js";
import type { InotifyFileEntry } from "../../formats/criu/tables/fsnotify.js";
import type { MemfdInodeEntry } from "../../formats/criu/tables/memfd.js";
import type { SignalfdEntry } from "../../formats/criu/tables/siginfo.js";
import type { TimerfdEntry } from "../../formats/criu/tables/timer.js";
import type { OpenFile } from "../open-file.js";
import type { EpollWatch, Memfd, SpecialFile } from "../special-file.js";
import { memfdInode } from "./referred-records.js";
import { terminalById } from "./terminals.js";
import { decodeTimerfd, encodeTimerfd } from "./timers.js";

/** Words of a file handle that criu wants even where it goes by the path. */
const HANDLE_WORDS = 16;

/** What an open file has that only its type has. */
export function decodeSpecial(
  { type, record, origin }: Pick<OpenFile, "type" | "record" | "origin">,
  set: CriuImageSet,
): SpecialFile | undefined {
  switch (type) {
    case "EVENTFD":
      return { kind: "eventfd", counter: (record as EventfdFileEntry).counter, semaphore: false };
    case "SIGNALFD":
      return { kind: "signalfd", mask: (record as SignalfdEntry).sigmask };
    case "TIMERFD":
      return { kind: "timerfd", timer: decodeTimerfd(record as TimerfdEntry, origin) };
    case "EVENTPOLL": {
      const { tfd } = record as EventpollFileEntry;
      return { kind: "epoll", watches: tfd.map((item) => new CriuEpollWatch(item)) };
    }
    case "INOTIFY": {
      const watches = (record as InotifyFileEntry).wd.map(({ wd, mask, i_ino, s_dev, f_handle }) => {
        return { wd, mask, ino: i_ino, dev: s_dev, path: f_handle.path };
      });
      return { kind: "inotify", watches };
    }
    case "MEMFD":
      return memfdOf(set, record.inode_id as number);
    case "TTY":
      return terminalById(set, record.tty_info_id as number);
    default:
      return undefined;
  }
}

/** A class: a server may watch 100,000 descriptors. */
class CriuEpollWatch implements EpollWatch {
  readonly #item: EventpollTfdEntry;

  constructor(item: EventpollTfdEntry) {
    this.#item = item;
  }

  get fd(): number {
    return this.#item.tfd;
  }

  get events(): number {
    return this.#item.events;
  }

  get data(): bigint {
    return this.#item.data;
  }

  get fileId(): undefined {
    return undefined;
  }
}

/** What every entry of an open file without a path has. */
interface Common {
  readonly id: number;
  readonly flags: number;
  readonly fown: FownEntry;
}

/** The type of a special file and the member of its entry in files.img; undefined for those with records of their own. */
export function encodeSpecial(
  special: SpecialFile,
  common: Common,
): readonly [type: string, member: Partial<FileEntry>] | undefined {
  switch (special.kind) {
    case "eventfd":
      return ["EVENTFD", { efd: { ...common, counter: special.counter } }];
    case "signalfd":
      return ["SIGNALFD", { sgfd: { ...common, sigmask: special.mask } }];
    case "timerfd":
      return ["TIMERFD", { tfd: { ...common, ...encodeTimerfd(special.timer) } }];
    case "epoll": {
      const { watches = [] } = special;
      const tfd = watches.map(({ fd, events, data }) => ({ id: 0, tfd: fd, events, data }));
      return ["EVENTPOLL", { epfd: { ...common, tfd } }];
    }
    case "inotify": {
      const wd = special.watches.map(({ wd, mask, ino, dev, path }) => ({
        ...{ id: 0, i_ino: ino, mask, ignored_mask: 0, s_dev: dev, wd },
        f_handle: {
          ...{ bytes: 0, type: 0, handle: Array.from({ length: HANDLE_WORDS }, () => 0n) },
          ...(path === undefined ? {} : { path }),
        },
      }));
      return ["INOTIFY", { ify: { ...common, wd } }];
    }
    default:
      return undefined;
  }
}

function memfdOf(set: CriuImageSet, id: number): Memfd | undefined {
  const inode = memfdInode(set, id);
  if (inode === undefined) return undefined;
  const { name, size, seals, uid, gid, mode, hugetlb_flag } = inode;
  return { kind: "memfd", name, size, seals, uid, gid, mode, hugePages: hugetlb_flag ?? 0 };
}

/** The entry of a memfd's inode; `id` is that of the inode and of its contents. */
export function encodeMemfd(memfd: Memfd, id: number): MemfdInodeEntry {
  const { name, size, seals, uid, gid, mode, hugePages } = memfd;
  return {
    ...{ name, uid, gid, size, shmid: id, seals, inode_id: BigInt(id) },
    ...(mode === undefined ? {} : { mode }),
    ...(hugePages === 0 ? {} : { hugetlb_flag: hugePages }),
  };
}
