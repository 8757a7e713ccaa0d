import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EditError } from "../../../io/errors.js";
import type { DescriptorName } from "../descriptors.js";
import type { StreamDraft } from "./draft.js";
import { pidsOf } from "./tasks.js";

/** An entry of a descriptor table. */
export interface StreamDescriptor {
  readonly table: Part;
  readonly part: Part;
  /** The FILE_DESC. */
  readonly index: number;
  readonly fd: number;
  /** Processes that have this table; several when they were made with CLONE_FILES. */
  readonly pids: readonly number[];
}

/** An open file description. */
export interface StreamFile {
  readonly objref: number;
  readonly part: Part;
  /** The FILE. */
  readonly index: number;
  /** The FILE_NAME with its path, for kinds of files that have one. */
  readonly name: number | undefined;
}

/** All descriptors of all tasks as they were at the checkpoint, each table once. */
export function streamDescriptors(draft: StreamDraft): readonly StreamDescriptor[] {
  return draft.once("descriptors", () => {
    const all: StreamDescriptor[] = [];
    for (const table of draft.reader.objects("FILE_TABLE")) {
      const pids = pidsOf(draft, "files_objref", table.objref ?? 0);
      for (const part of table.parts) {
        if (part.rule !== "descriptor") continue;
        const { index, value } = draft.reader.get(part, RECORDS.FILE_DESC);
        all.push({ table, part, index, fd: value.fd_descriptor, pids });
      }
    }
    return all;
  });
}

/** The descriptor of that name; undefined when it is not open, or not any more. */
export function streamDescriptor(
  draft: StreamDraft,
  { pid, fd }: DescriptorName,
): StreamDescriptor | undefined {
  return streamDescriptors(draft).find(
    (each) => each.fd === fd && each.pids.includes(pid) && !draft.isDropped(each.index),
  );
}

/** The number of the FILE that a descriptor names now. */
export function fileRefOf(draft: StreamDraft, { index }: StreamDescriptor): number {
  return draft.value(index, RECORDS.FILE_DESC).fd_objref;
}

/** Descriptors that still name this FILE. */
export function streamHolders(draft: StreamDraft, objref: number): StreamDescriptor[] {
  const before = draft.once("descriptors by file", () => {
    const map = new Map<number, StreamDescriptor[]>();
    for (const each of streamDescriptors(draft)) {
      const { fd_objref } = draft.image.value(each.index, RECORDS.FILE_DESC);
      const same = map.get(fd_objref);
      if (same === undefined) map.set(fd_objref, [each]);
      else same.push(each);
    }
    return map;
  });
  return (before.get(objref) ?? []).filter(
    (each) => !draft.isDropped(each.index) && fileRefOf(draft, each) === objref,
  );
}

/** The FILE objects in the order of the stream, but for those that edits have taken away. */
export function streamFiles(draft: StreamDraft): readonly StreamFile[] {
  const all = draft.once("files", () =>
    [...draft.reader.objects("FILE")].map((part): StreamFile => {
      const { index } = draft.reader.get(part, RECORDS.FILE);
      return { objref: part.objref ?? 0, part, index, name: draft.reader.index(part, RECORDS.FILE_NAME) };
    }),
  );
  return all.filter(({ index }) => !draft.isDropped(index));
}

/** The FILE object of that number; undefined when it is none, or was taken away. */
export function streamFile(draft: StreamDraft, objref: number): StreamFile | undefined {
  const byRef = draft.once(
    "files by number",
    () => new Map(streamFiles(draft).map((file) => [file.objref, file])),
  );
  const file = byRef.get(objref);
  return file === undefined || draft.isDropped(file.index) ? undefined : file;
}

/** The FILE that descriptors named. Errors: EDIT when another edit has just given them a new one, or there is none. */
export function requiredFile(
  draft: StreamDraft,
  descriptors: readonly StreamDescriptor[],
  objref: number,
): StreamFile {
  const file = streamFile(draft, objref);
  if (file !== undefined) return file;
  const names = descriptors.map(descriptorText).join(", ");
  const [first] = descriptors;
  throw new EditError(
    first !== undefined && draft.isChanged(first.index)
      ? `descriptor ${names} has just been given another file; make this edit in a run of its own`
      : `descriptor ${names} names file ${objref}, which the stream does not have`,
    draft.image.place(first?.index ?? 0),
  );
}

/** `4711:1`; every process of a shared table is named. */
export function descriptorText({ pids, fd }: StreamDescriptor): string {
  return `${pids.join(",")}:${fd}`;
}

/** The path of a file with what edits made of it; undefined for pipes, sockets and the like. */
export function pathOf(draft: StreamDraft, file: StreamFile | undefined): string | undefined {
  return file?.name === undefined ? undefined : draft.text(file.name);
}
