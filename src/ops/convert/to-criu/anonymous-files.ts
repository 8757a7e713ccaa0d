import { RECORDS } from "../../../formats/linux-cr/records.js";
import { encodeSpecial } from "../../../model/criu/special-files.js";
import { addFile } from "./file-entry.js";
import { memoryFile } from "./shared-memory.js";
import type { StreamFile } from "./stream-file.js";

/** A file that is nothing but its own state: eventfd, signalfd, timerfd, epoll, inotify. */
export function specialFile({ context, part, file, id, value, owner, label }: StreamFile): void {
  const { special } = file;
  const encoded = special && encodeSpecial(special, { id, flags: value.f_flags, fown: owner });
  if (encoded === undefined)
    throw context.reader.image.error(part.records[0] ?? 0, `${label} has no record of its type`);
  if (special?.kind === "eventfd" && special.semaphore)
    context.losses.add(label, "that each read takes 1 (EFD_SEMAPHORE)", "criu restores a plain counter");
  if (special?.kind === "epoll" && special.watches === undefined)
    context.losses.add(label, "what it watches", "the stream does not say it");
  addFile(context, encoded[0], id, encoded[1]);
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
