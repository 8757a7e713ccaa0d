import { RECORDS } from "../../../formats/linux-cr/records.js";
import { criuDescriptorTable } from "../../../model/criu/descriptors.js";
import { encodeDescriptor } from "../../../model/linux-cr/descriptors.js";
import type { Context } from "./context.js";
import { writeFile } from "./files.js";
import { whyNotFile } from "./inexpressible.js";
import { writeLocks } from "./locks.js";

/**
 * FILE_TABLE object of fdinfo-`filesId`.img, the descriptor table of task `pid`. Tasks that share it share the object.
 * Descriptors whose files a stream cannot hold are left out, and told.
 */
export function writeFileTable(context: Context, pid: number, filesId: number): number {
  const { set, files, writer, losses } = context;
  return context.ref("FILE_TABLE", filesId, (table) => {
    const { descriptors } = criuDescriptorTable(set, filesId, () => files.all);
    const sorted = [...descriptors].sort((a, b) => a.fd - b.fd);
    const kept = sorted.filter(({ file }) => file !== undefined && whyNotFile(file) === undefined);
    const outer = { deferred: context.deferred, descriptors: context.descriptors };
    context.deferred = [];
    context.descriptors = new Map();
    writer.record(RECORDS.FILE_TABLE, { fdt_nfds: kept.length });
    for (const descriptor of sorted) {
      const { fd, fileId, type, label } = descriptor;
      const file = writeFile(context, fileId, `task ${pid} fd ${fd}`, type);
      if (file === 0) continue;
      context.descriptors.set(fd, file);
      writer.records([encodeDescriptor(descriptor, file)]);
      writeLocks(context, filesId, fd, { table, file });
      if (label !== undefined)
        losses.add(`task ${pid} fd ${fd}`, `its SELinux label ${label}`, "crimg writes no labels");
    }
    // What is put off meanwhile is appended, and met by this loop.
    for (const next of context.deferred) next();
    context.deferred = outer.deferred;
    context.descriptors = outer.descriptors;
  });
}
