import type { EventpollFileEntry } from "../../../formats/criu/tables/eventpoll.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import { FILE_TYPE, writeFileRecord, writeOwner } from "./file-parts.js";

/** An epoll. What it watches stands at the end of the descriptor table, when all its files have numbers. */
export function writeEpoll(context: Context, file: OpenFile, objref: number): void {
  const { flags, fown } = file.record as EventpollFileEntry;
  writeFileRecord(context, FILE_TYPE.epoll, { flags });
  writeOwner(context, file, objref, fown, flags);
  context.deferred.push(() => writeItems(context, file, objref));
}

function writeItems(context: Context, file: OpenFile, objref: number): void {
  const { tfd: watched } = file.record as EventpollFileEntry;
  const items: Buffer[] = [];
  for (const { tfd: fd, events, data } of watched) {
    const target = context.descriptors.get(fd);
    if (target === undefined)
      context.losses.add(
        `open file ${file.id} (${file.label})`,
        `that it watches descriptor ${fd}`,
        "the table that is written with it has no such descriptor",
      );
    else items.push(context.writer.bytesOf(EPOLL_ITEM, { data, fd, file_objref: target, events }));
  }
  context.writer.record(RECORDS.EPOLL_ITEMS, { epfile_objref: objref, num_items: items.length });
  if (items.length > 0) context.writer.buffer(...items);
}
