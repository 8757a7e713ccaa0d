import { IMAGES } from "../../../formats/criu/images.js";
import { FD_TYPES, FDINFO_ENTRY } from "../../../formats/criu/tables/fdinfo.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Process, ToCriu } from "./context.js";
import type { Holder } from "./stream-file.js";

/** A descriptor table with the process that criu knows it by: the first that has it. */
export interface Table {
  readonly objref: number;
  readonly part: Part;
  readonly process: Process;
}

/** The descriptor tables of a stream. */
export class Descriptors {
  /** Tables that processes have, in their order. */
  readonly tables: readonly Table[];
  readonly #holders = new Map<number, Holder>();

  constructor(readonly context: ToCriu) {
    const { reader } = context;
    const tables = new Map<number, Table>();
    for (const process of context.processes()) {
      if (reader.index(process.part, RECORDS.TASK_OBJS) === undefined) continue;
      const { files_objref: objref } = context.objects(process.part);
      const part = reader.object(objref, "FILE_TABLE");
      if (part === undefined || tables.has(objref)) continue;
      tables.set(objref, { objref, part, process });
      for (const { value } of this.#descriptors(part))
        if (!this.#holders.has(value.fd_objref))
          this.#holders.set(value.fd_objref, { pid: process.ids.pid, fd: value.fd_descriptor });
    }
    this.tables = [...tables.values()];
  }

  /** The first descriptor that a file is open under; undefined for one that is only mapped, or in no table. */
  holder({ objref = 0 }: Part): Holder | undefined {
    return this.#holders.get(objref);
  }

  /** Writes the fdinfo images, after the files. */
  write(): void {
    const { reader, set, losses } = this.context;
    for (const { part, objref, process } of this.tables)
      for (const { index, value } of this.#descriptors(part)) {
        if (reader.object(value.fd_objref, "FILE") === undefined)
          throw reader.image.error(index, `descriptor ${value.fd_descriptor} names no file of the stream`);
        const id = this.context.fileId(value.fd_objref);
        const type = this.context.fileTypes.get(id);
        if (type === undefined) {
          losses.add(
            `task ${process.ids.pid} fd ${value.fd_descriptor}`,
            "the descriptor",
            "its file is lost",
          );
          continue;
        }
        set.add(IMAGES.FDINFO, this.context.id("FILE_TABLE", objref), FDINFO_ENTRY, {
          id,
          flags: value.fd_close_on_exec === 0 ? 0 : 1,
          type: FD_TYPES.values.get(type) as number,
          fd: value.fd_descriptor,
        });
      }
  }

  #descriptors(table: Part) {
    const { reader } = this.context;
    return table.parts
      .filter(({ rule }) => rule === "descriptor")
      .map((part) => reader.get(part, RECORDS.FILE_DESC));
  }
}
