import type { SetWriter } from "../../../formats/criu/set-writer.js";
import type { RecordedObject } from "../../../formats/linux-cr/grammar.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { Losses } from "../loss.js";

/** What the parts of one conversion from a stream to a set share. */
export class ToCriu {
  readonly #ids = new Map<string, Map<number, number>>();
  #lastFileId = 0;

  constructor(
    readonly reader: StreamReader,
    readonly set: SetWriter,
    readonly losses: Losses,
  ) {}

  /** The id that the set has for an open file, by the number of its FILE object. */
  fileId(objref: number): number {
    const files = this.#idsOf("file");
    const known = files.get(objref);
    if (known !== undefined) return known;
    const id = this.newFileId();
    files.set(objref, id);
    return id;
  }

  /** An id for a file of files.img that the stream has no FILE object for, such as a working directory. */
  newFileId(): number {
    this.#lastFileId += 1;
    return this.#lastFileId;
  }

  /**
   * The number of any other object in the ids of the set, counted for each type: of descriptor tables, address spaces,
   * directories and signal actions from 2 on, since 1 is criu's own.
   */
  id(type: RecordedObject | "shmem" | "pipe", objref: number): number {
    const ids = this.#idsOf(type);
    let id = ids.get(objref);
    if (id === undefined) {
      id = ids.size + 2;
      ids.set(objref, id);
    }
    return id;
  }

  #idsOf(type: string): Map<number, number> {
    let ids = this.#ids.get(type);
    if (ids === undefined) {
      ids = new Map();
      this.#ids.set(type, ids);
    }
    return ids;
  }
}
