import type { SetWriter } from "../../../formats/criu/set-writer.js";
import type { RecordedObject } from "../../../formats/linux-cr/grammar.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordKind, RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Checkpoint } from "../../../model/checkpoint.js";
import { lazy } from "../../../model/lazy.js";
import { linuxCrCheckpoint } from "../../../model/linux-cr/checkpoint.js";
import { decodeIpcNamespaces, type StreamIpcNamespace } from "../../../model/linux-cr/ipc.js";
import { type Process, processesOf } from "../../../model/linux-cr/pids.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { signalOwnersOf } from "../../../model/linux-cr/tasks.js";
import type { Losses } from "../../../model/loss.js";

/** What the parts of one conversion from a stream to a set share. */
export class ToCriu {
  readonly checkpoint: Checkpoint;
  /** Processes in the order of the stream: a parent before its children. */
  readonly processes: () => readonly Process[];
  readonly #signalOwners: () => ReadonlyMap<number, Part>;
  readonly ipcNamespaces: () => readonly StreamIpcNamespace[];
  readonly #segments: () => ReadonlyMap<number, number>;
  /** Places of the filters in seccomp.img by their ids; of filters with one id the first. */
  readonly seccompPlaces: () => ReadonlyMap<number, number>;
  /** The id of criu's own control groups, which tasks without a set of their own are in: one that no set has. */
  readonly rootCgroupSet: () => number;
  /** criu's types of the open files that were written, by their ids. */
  readonly fileTypes = new Map<number, string>();
  /** Records from which the set has some of the fields alone. */
  readonly unwritten = new Set<number>();
  readonly #ids = new Map<string, Map<number, number>>();
  readonly #met = new Set<string>();
  #lastFileId = 0;
  #lastPagesId = 0;

  constructor(
    readonly reader: StreamReader,
    readonly set: SetWriter,
    readonly losses: Losses,
  ) {
    this.checkpoint = linuxCrCheckpoint(reader.image, reader);
    this.processes = lazy(() => processesOf(reader));
    this.ipcNamespaces = lazy(() => decodeIpcNamespaces(reader));
    this.#segments = lazy(() => {
      const segments = this.ipcNamespaces().flatMap((namespace) => namespace.segments);
      return new Map(segments.map(({ objref, id }) => [objref, id >>> 0]));
    });
    this.#signalOwners = lazy(() => signalOwnersOf(reader));
    this.seccompPlaces = lazy(() => {
      const places = this.checkpoint.seccompFilters.map(({ id }, place) => [id, place] as const);
      return new Map(places.reverse());
    });
    this.rootCgroupSet = lazy(() => {
      const taken = this.checkpoint.controlGroupSets.map(({ id }) => id);
      return taken.includes(1) ? taken.reduce((most, id) => Math.max(most, id)) + 1 : 1;
    });
  }

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

  /** The number of a new pages file. */
  newPagesId(): number {
    this.#lastPagesId += 1;
    return this.#lastPagesId;
  }

  /**
   * The number of any other object in the ids of the set, counted for each type: of descriptor tables, address spaces,
   * directories and signal actions from 2 on, since 1 is criu's own.
   */
  id(type: RecordedObject | "INODE" | "PIPE", objref: number): number {
    const ids = this.#idsOf(type);
    let id = ids.get(objref);
    if (id === undefined) {
      id = ids.size + 2;
      ids.set(objref, id);
    }
    return id;
  }

  /** A number for what the stream has one object for and the set several. */
  newId(type: RecordedObject): number {
    const ids = this.#idsOf(type);
    // Objects of a stream have numbers above 0.
    return this.id(type, -ids.size - 1);
  }

  /** True for the first time that this number is asked for in this role. */
  isFirst(role: string, objref: number): boolean {
    const key = `${role} ${objref}`;
    if (this.#met.has(key)) return false;
    this.#met.add(key);
    return true;
  }

  /** Which objects a live task has. */
  objects(task: Part): RecordValue<typeof RECORDS.TASK_OBJS> {
    return this.reader.get(task, RECORDS.TASK_OBJS).value;
  }

  /** The task that brought the SIGNAL record of a process. */
  signalOwner(task: Part): Part {
    return this.#signalOwners().get(this.objects(task).signal_objref) ?? task;
  }

  /** Whether the stream has System V objects. */
  hasSysV(): boolean {
    return this.#segments().size > 0;
  }

  /** The id of a shared memory segment, by the hidden number of its inode. Errors: FormatError without such a segment. */
  sysVId(objref: number, record: number): number {
    const id = this.#segments().get(objref);
    if (id === undefined)
      throw this.reader.image.error(record, `there is no segment with the number ${objref}`);
    return id;
  }

  /** All records of a kind in a part. */
  all<K extends RecordKind>(
    part: Part,
    kind: K,
  ): { readonly index: number; readonly value: RecordValue<K> }[] {
    const { image } = this.reader;
    return part.records
      .filter((index) => image.kind(index) === kind)
      .map((index) => ({ index, value: image.value(index, kind) }));
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
