import path from "node:path";
import type { LinuxCrImage } from "../../../formats/linux-cr/image.js";
import type { Tree } from "../../../formats/linux-cr/parse.js";
import type { RecordKind, RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { isCrimgError } from "../../../io/errors.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Origin } from "../../../model/origin.js";
import { ImageContext, type PlaceOfObject } from "../context.js";
import type { Place } from "../finding.js";
import { taskNumbers } from "./task-numbers.js";

/** A record and its fields. */
export interface StoredRecord<K extends RecordKind = RecordKind> {
  readonly index: number;
  readonly value: RecordValue<K>;
}

/** What rules about a linux-cr stream look at. */
export class StreamContext extends ImageContext {
  readonly family = "linux-cr";
  readonly stream: LinuxCrImage;
  readonly reader: StreamReader;
  readonly #name: string;

  constructor(document: LinuxCrDocument) {
    super(document);
    this.stream = document.image;
    this.reader = document.reader;
    this.#name = path.basename(document.name);
  }

  /** The records tied together, as far as the image can be read. */
  get tree(): Tree {
    return this.reader.tree;
  }

  /** Every record of a kind, also behind the place where the order of the records is broken; not those cut short. */
  *each<K extends RecordKind>(kind: K): Generator<StoredRecord<K>> {
    for (const index of this.share(recordsByKind).get(kind) ?? []) {
      const value = this.valueAt(index, kind);
      if (value !== undefined) yield { index, value };
    }
  }

  /** The fields of a record; undefined for one of another kind, or shorter than its fields. */
  valueAt<K extends RecordKind>(index: number | undefined, kind: K): RecordValue<K> | undefined {
    if (index === undefined || this.stream.kind(index) !== kind) return undefined;
    try {
      return this.stream.value(index, kind);
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      return undefined;
    }
  }

  /** The next record after this one, if it is a BUFFER. */
  bufferAfter(index: number): number | undefined {
    return this.stream.kind(index + 1) === RECORDS.BUFFER ? index + 1 : undefined;
  }

  /** A record as the place of a finding, with the task among whose records it stands. */
  at(record: number, more: Pick<Place, "field" | "path" | "fd"> = {}): Place {
    const { offset } = this.stream.place(record);
    return { image: this.#name, record, offset, pid: this.#pidOf(record), ...more };
  }

  placeOf({ record, field }: Origin, more: PlaceOfObject = {}): Place {
    const at = this.at(record, { field });
    return { ...at, ...more, pid: more.pid ?? at.pid };
  }

  setFieldCommand({ record, field }: Origin, value: number | bigint | string): string {
    return this.editCommand("--set", `[${record}].${field}=${value}`);
  }

  /** Counts of the records around it would be wrong. */
  dropRecordCommand(): undefined {
    return undefined;
  }

  setFileCommand({ origin }: OpenFile, field: "flags" | "position", value: number): string {
    return this.editCommand("--set", `[${origin.record}].f_${field === "flags" ? "flags" : "pos"}=${value}`);
  }

  /** By its path: --remap-path takes none with `.` or `..`, or a slash at its end. */
  renameCommand(_file: OpenFile | undefined, path: string, to: string): string | undefined {
    if (/(^|\/)\.{0,2}(\/|$)/.test(path.slice(1))) return undefined;
    return this.editCommand("--remap-path", `${path}=${to}`);
  }

  #pidOf(record: number): number | undefined {
    const starts = this.share(recordsByKind).get(RECORDS.TASK) ?? [];
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= record) low = middle + 1;
      else high = middle;
    }
    const kind = this.stream.kind(record);
    return low === 0 || (kind !== undefined && OF_NO_TASK.has(kind))
      ? undefined
      : this.share(numbersOfTasks)[low - 1];
  }
}

/** What stands among the records of a task and is not its own: namespaces, and the end of the stream. */
const OF_NO_TASK: ReadonlySet<RecordKind> = new Set<RecordKind>([
  ...[RECORDS.TAIL, RECORDS.NS, RECORDS.UTS_NS, RECORDS.IPC_NS, RECORDS.IPC_NS_EXTRA],
  ...[RECORDS.IPC, RECORDS.IPC_SHM, RECORDS.IPC_MSG, RECORDS.IPC_MSG_MSG, RECORDS.IPC_SEM],
]);

/** Indexes of the records of each kind. */
export function recordsByKind({ stream }: StreamContext): ReadonlyMap<RecordKind, readonly number[]> {
  const kinds = new Map<RecordKind, number[]>();
  for (let index = 0; index < stream.length; index++) {
    const kind = stream.kind(index);
    if (kind === undefined) continue;
    const records = kinds.get(kind);
    if (records === undefined) kinds.set(kind, [index]);
    else records.push(index);
  }
  return kinds;
}

/** The process that each TASK belongs to. */
function numbersOfTasks({ stream }: StreamContext): readonly (number | undefined)[] {
  const ids = taskNumbers(stream);
  return (ids?.tasks ?? []).map(({ vtgid }) => ids?.numberOf(vtgid));
}
