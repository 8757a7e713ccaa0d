import { FILE_TYPES } from "../../formats/criu/file-types.js";
import type { CriuImage, ImageRecord } from "../../formats/criu/image.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FD_TYPES, type FdinfoEntry } from "../../formats/criu/tables/fdinfo.js";
import { enumName } from "../../io/enums.js";
import { UsageError } from "../../io/errors.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";
import type { FieldPath } from "../../schema/patch.js";
import type { Draft } from "./draft.js";

/** A descriptor by pid and number, in the field's notation `PID:FD`. */
export interface DescriptorName {
  readonly pid: number;
  readonly fd: number;
}

/** An entry of a descriptor table. */
export interface FoundDescriptor {
  readonly image: CriuImage;
  readonly record: ImageRecord;
  readonly value: FdinfoEntry;
  /** Tasks that have this table; several when they were made with CLONE_FILES. */
  readonly pids: readonly number[];
}

/** The entry of an open file description: of files.img, or of the type's own image before criu 3.4. */
export interface FoundDescription {
  readonly type: string;
  readonly id: number;
  readonly image: CriuImage;
  readonly record: ImageRecord;
  /** The message of the type itself. */
  readonly path: FieldPath;
  readonly value: AnyValue;
  readonly table: MessageTable;
}

/** Reads `PID:FD`. Errors: USAGE. */
export function parseDescriptorName(text: string): DescriptorName {
  const [, pid, fd] = /^(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  if (pid === undefined || fd === undefined)
    throw new UsageError(`${JSON.stringify(text)} is not PID:FD, as in 4711:1`);
  return { pid: Number(pid), fd: Number(fd) };
}

/** All descriptors of all tasks as they were at the checkpoint, each table once. */
export function descriptors(draft: Draft): readonly FoundDescriptor[] {
  return indexOf(draft).all;
}

/** The descriptor of that name; undefined when it is not open, or not any more. */
export function descriptorNamed(draft: Draft, { pid, fd }: DescriptorName): FoundDescriptor | undefined {
  const found = indexOf(draft).byName.get(`${pid}:${fd}`);
  return found === undefined || draft.isDropped(found.image, found.record) ? undefined : found;
}

/** Descriptors that named this description at the checkpoint and still do. */
export function holdersOf(draft: Draft, type: string, id: number): FoundDescriptor[] {
  return (indexOf(draft).byDescription.get(`${type}:${id}`) ?? []).filter(
    (each) => each.value.id === id && typeOf(each) === type && !draft.isDropped(each.image, each.record),
  );
}

interface DescriptorIndex {
  readonly all: readonly FoundDescriptor[];
  readonly byName: ReadonlyMap<string, FoundDescriptor>;
  readonly byDescription: ReadonlyMap<string, FoundDescriptor[]>;
}

function indexOf(draft: Draft): DescriptorIndex {
  return draft.once("descriptors", () => {
    const all = readDescriptors(draft);
    const byName = new Map<string, FoundDescriptor>();
    const byDescription = new Map<string, FoundDescriptor[]>();
    for (const each of all) {
      for (const pid of each.pids) byName.set(`${pid}:${each.value.fd}`, each);
      const key = `${typeOf(each)}:${each.value.id}`;
      const list = byDescription.get(key);
      if (list === undefined) byDescription.set(key, [each]);
      else list.push(each);
    }
    return { all, byName, byDescription };
  });
}

/** The open file description with that id and type. */
export function descriptionOf(draft: Draft, type: string, id: number): FoundDescription | undefined {
  return draft.once("descriptions", () => new Map(readDescriptions(draft))).get(`${type}:${id}`);
}

/** The type's word of a descriptor entry. */
export function typeOf({ value }: FoundDescriptor): string {
  return enumName(FD_TYPES, value.type);
}

/** Pids in the order of the tree, each once. */
export function pidsOf(draft: Draft): number[] {
  return [...new Set(draft.set.records(IMAGES.PSTREE).map(({ value }) => value.pid))];
}

function readDescriptors(draft: Draft): FoundDescriptor[] {
  const isPerId = draft.set.first(IMAGES.INVENTORY)?.fdinfo_per_id === true;
  const tables = new Map<number, number[]>();
  for (const pid of pidsOf(draft)) {
    const ids = draft.set.first(IMAGES.IDS, pid) ?? draft.set.first(IMAGES.CORE, pid)?.ids;
    const table = isPerId ? ids?.files_id : pid;
    if (table === undefined) continue;
    const sharers = tables.get(table);
    if (sharers === undefined) tables.set(table, [pid]);
    else sharers.push(pid);
  }
  const found: FoundDescriptor[] = [];
  for (const [id, pids] of tables) {
    const image = draft.set.image(IMAGES.FDINFO, id);
    for (const record of image?.records() ?? [])
      found.push({ image: image as CriuImage, record, value: record.value, pids });
  }
  return found;
}

function* readDescriptions(draft: Draft): Generator<readonly [string, FoundDescription]> {
  const image = draft.set.image(IMAGES.FILES) as CriuImage | undefined;
  const members = new Map(FILE_TYPES.map((each) => [each.type, each.member] as const));
  for (const record of image?.records() ?? []) {
    const type = enumName(FD_TYPES, record.value.type as number);
    const member = members.get(type);
    const value = member === undefined ? undefined : (record.value[member] as AnyValue | undefined);
    if (image === undefined || member === undefined || value === undefined) continue;
    const table = record.table.fields[member]?.type as MessageTable;
    const id = record.value.id as number;
    yield [`${type}:${id}`, { type, id, image, record, path: [member], value, table }];
  }
  for (const { type, splitImage } of FILE_TYPES) {
    const split =
      splitImage === undefined ? undefined : (draft.set.image(splitImage) as CriuImage | undefined);
    for (const record of split?.records() ?? []) {
      if (split === undefined) continue;
      const id = record.value.id as number;
      yield [
        `${type}:${id}`,
        { type, id, image: split, record, path: [], value: record.value, table: record.table },
      ];
    }
  }
}
