import { IMAGES } from "../../../formats/criu/images.js";
import { FD_TYPES } from "../../../formats/criu/tables/fdinfo.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { enumName } from "../../../io/enums.js";
import { FD_CLOEXEC } from "../../../linux/files.js";
import type { Context } from "./context.js";
import { writeFile } from "./files.js";
import { whyNotFile } from "./inexpressible.js";
import { writeLocks } from "./locks.js";

/**
 * FILE_TABLE object of fdinfo-`filesId`.img, the descriptor table of task `pid`. Tasks that share it share the object.
 * Descriptors whose files a stream cannot hold are left out, and told.
 */
export function writeFileTable(context: Context, pid: number, filesId: number): number {
  return context.ref("FILE_TABLE", filesId, (table) => {
    const descriptors = descriptorsOf(context, filesId);
    const kept = descriptors.filter(
      ({ file }) => file !== undefined && whyNotFile(file, context.files) === undefined,
    );
    const outer = { deferred: context.deferred, descriptors: context.descriptors };
    context.deferred = [];
    context.descriptors = new Map();
    context.writer.record(RECORDS.FILE_TABLE, { fdt_nfds: kept.length });
    for (const { entry, type } of descriptors) {
      const { fd, id, flags, xattr_security_selinux: label } = entry;
      const objref = writeFile(context, id, `task ${pid} fd ${fd}`, type);
      if (objref === 0) continue;
      context.descriptors.set(fd, objref);
      context.writer.record(RECORDS.FILE_DESC, {
        fd_objref: objref,
        fd_descriptor: fd,
        fd_close_on_exec: (flags & FD_CLOEXEC) === 0 ? 0 : 1,
      });
      writeLocks(context, filesId, fd, { table, file: objref });
      if (label !== undefined)
        context.losses.add(`task ${pid} fd ${fd}`, `its SELinux label ${label}`, "crimg writes no labels");
    }
    // What is deferred may bring in objects that defer more.
    // What is put off meanwhile is appended, and met by this loop.
    for (const next of context.deferred) next();
    context.deferred = outer.deferred;
    context.descriptors = outer.descriptors;
  });
}

/** Ascending, each with its open file when the set has it. A table may have 100,000: the records are not kept. */
function descriptorsOf({ set, files }: Context, filesId: number) {
  const descriptors = [];
  for (const { value: entry } of set.image(IMAGES.FDINFO, filesId)?.heldRecords() ?? []) {
    const type = enumName(FD_TYPES, entry.type);
    descriptors.push({ entry, type, file: files.all.get(entry.id, type) });
  }
  return descriptors.sort((a, b) => a.entry.fd - b.entry.fd);
}
