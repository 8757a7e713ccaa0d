import type { EventpollTfdEntry } from "../../../formats/criu/tables/eventpoll.js";
import type { InotifyWdEntry } from "../../../formats/criu/tables/fsnotify.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import { EFD_SEMAPHORE } from "../../../linux/files.js";
import { encodeTimerfd } from "../../../model/criu/timers.js";
import { decodeTimerfd } from "../../../model/linux-cr/timers.js";
import { addFile } from "./file-entry.js";
import { memoryFile } from "./shared-memory.js";
import type { StreamFile } from "./stream-file.js";

/** Words of a file handle that criu wants even where it goes by the path. */
const HANDLE_WORDS = 16;

export function eventfd({ context, id, value, owner, label }: StreamFile): void {
  if (((value.flags ?? 0) & EFD_SEMAPHORE) !== 0)
    context.losses.add(label, "that each read takes 1 (EFD_SEMAPHORE)", "criu restores a plain counter");
  addFile(context, "EVENTFD", id, {
    efd: { id, flags: value.f_flags, fown: owner, counter: value.count ?? 0n },
  });
}

export function epoll({ context, part, id, value, owner, label }: StreamFile): void {
  const { reader } = context;
  const items = part.deferred && reader.index(part.deferred, RECORDS.BUFFER);
  const tfd: EventpollTfdEntry[] = (items === undefined ? [] : reader.image.structs(items, EPOLL_ITEM)).map(
    ({ fd, events, data }) => ({ id: 0, tfd: fd, events, data }),
  );
  if (part.deferred === undefined) context.losses.add(label, "what it watches", "the stream does not say it");
  addFile(context, "EVENTPOLL", id, { epfd: { id, flags: value.f_flags, fown: owner, tfd } });
}

export function timerfd({ context, part, id, value, owner }: StreamFile): void {
  addFile(context, "TIMERFD", id, {
    tfd: {
      id,
      flags: value.f_flags,
      fown: owner,
      ...encodeTimerfd(decodeTimerfd(context.reader, part)),
    },
  });
}

export function signalfd({ context, part, id, value, owner }: StreamFile): void {
  const { sigmask } = context.reader.get(part, RECORDS.SIGNALFD).value;
  addFile(context, "SIGNALFD", id, {
    sgfd: { id, flags: value.f_flags, fown: owner, sigmask: sigmask.readBigUInt64LE() },
  });
}

export function memfd({ context, part, id, value, owner }: StreamFile): void {
  const { reader } = context;
  const { index, value: memory } = reader.get(part, RECORDS.MEMFD);
  const { uid, gid, size, seals, mode, flags } = memory;
  const inode = memoryFile(
    context,
    memory.inode_objref,
    {
      name: reader.image.text(index),
      ...{ uid, gid, size, seals, mode },
      ...(flags === 0 ? {} : { hugetlb_flag: flags }),
    },
    part,
  );
  addFile(context, "MEMFD", id, {
    memfd: { id, flags: value.f_flags, pos: value.f_pos, fown: owner, inode_id: inode },
  });
}

export function inotify({ context, part, id, value, owner }: StreamFile): void {
  const { reader } = context;
  const wd: InotifyWdEntry[] = part.parts.map((each) => {
    const { index, value: watch } = reader.get(each, RECORDS.INOTIFY_WATCH);
    return {
      id: 0,
      i_ino: watch.ino,
      mask: watch.mask,
      ignored_mask: 0,
      s_dev: watch.dev,
      wd: watch.wd,
      f_handle: {
        bytes: 0,
        type: 0,
        handle: Array.from({ length: HANDLE_WORDS }, () => 0n),
        path: reader.image.text(index),
      },
    };
  });
  addFile(context, "INOTIFY", id, { ify: { id, flags: value.f_flags, fown: owner, wd } });
}
