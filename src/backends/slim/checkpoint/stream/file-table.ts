import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import type { ProcessState } from "../process.js";
import type { CheckpointContext } from "./context.js";
import { writeFile } from "./file.js";
import { writeLocks } from "./locks.js";

/** FILE_TABLE, the descriptors with the files that are new, their locks, then what was put off to the end. */
export function writeFileTable(context: CheckpointContext, pid: number, objref: number): void {
  const { writer, descriptions } = context;
  const held = descriptions.of(pid);
  const outer = context.deferred;
  context.deferred = [];
  context.tableRef = objref;
  writer.record(RECORDS.FILE_TABLE, { fdt_nfds: held.length });
  for (const { fd, closeOnExec, description } of held) {
    const file = context.ref("FILE", description.id, (objref) => writeFile(context, description, objref));
    writer.record(RECORDS.FILE_DESC, {
      fd_objref: file,
      fd_descriptor: fd,
      fd_close_on_exec: Number(closeOnExec),
    });
    writeLocks(context, pid, fd, file);
  }
  // What is put off may put off more.
  for (let next = context.deferred.shift(); next !== undefined; next = context.deferred.shift()) next();
  context.deferred = outer;
}

/** FS: the working and the root directory by their paths. */
export function writeFs({ writer }: CheckpointContext, { cwd, root, frozen }: ProcessState): void {
  writer.record(RECORDS.FS, { umask: frozen.status.umask });
  for (const path of [cwd, root]) writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path));
}
