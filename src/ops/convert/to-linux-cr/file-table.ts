import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Context } from "./context.js";
import { writeFile } from "./files.js";
import { whyNotFile } from "./inexpressible.js";
import { writeLocks } from "./locks.js";

/** FILE_TABLE object of fdinfo-`filesId`.img, the descriptor table of task `pid`. Tasks that share it share the object. */
export function writeFileTable(context: Context, pid: number, filesId: number): number {
  return context.ref("FILE_TABLE", filesId, (table) => {
    const descriptors = [...(context.files.table(filesId)?.descriptors ?? [])].sort((a, b) => a.fd - b.fd);
    const kept = descriptors.filter(
      ({ file }) => file !== undefined && whyNotFile(file, context.files) === undefined,
    );
    const outer = { deferred: context.deferred, descriptors: context.descriptors };
    context.deferred = [];
    context.descriptors = new Map();
    context.writer.record(RECORDS.FILE_TABLE, { fdt_nfds: kept.length });
    for (const { fd, fileId, type, closeOnExec, file: open } of descriptors) {
      const objref = writeFile(context, fileId, `task ${pid} fd ${fd}`, type);
      if (objref === 0) continue;
      context.descriptors.set(fd, objref);
      context.writer.record(RECORDS.FILE_DESC, {
        fd_objref: objref,
        fd_descriptor: fd,
        fd_close_on_exec: closeOnExec ? 1 : 0,
      });
      writeLocks(context, filesId, fd, { table, file: objref, open });
    }
    // What is deferred may bring in objects that defer more.
    for (let next = context.deferred.shift(); next !== undefined; next = context.deferred.shift()) next();
    context.deferred = outer.deferred;
    context.descriptors = outer.descriptors;
  });
}
