import { RECORDS } from "../../formats/linux-cr/records.js";
import type { DescriptorTable, FileTable, Lock, LockKind } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import type { StreamReader } from "./reader.js";

/** The FILE_TABLE object of a number; undefined when the image has none. */
export function linuxCrDescriptors(
  reader: StreamReader,
  id: number,
  files: () => FileTable,
): DescriptorTable | undefined {
  const table = reader.object(id, "FILE_TABLE");
  if (table === undefined) return undefined;
  const descriptors = lazy(() =>
    table.parts
      .filter(({ rule }) => rule === "descriptor")
      .map((part) => {
        const { index, value } = reader.get(part, RECORDS.FILE_DESC);
        const file = files().get(value.fd_objref);
        return {
          fd: value.fd_descriptor,
          closeOnExec: value.fd_close_on_exec !== 0,
          type: file?.type ?? "unknown",
          fileId: value.fd_objref,
          file,
          origin: reader.origin(index),
        };
      }),
  );
  return {
    id,
    get descriptors() {
      return descriptors();
    },
  };
}

const KINDS: Readonly<Record<number, LockKind>> = { 1: "posix", 2: "flock", 32: "lease" };
const TYPES: readonly Lock["type"][] = ["read", "write", "unlock"];
const IN_PROGRESS = 16;
const END_OF_FILE = 0x7fff_ffff_ffff_ffffn;

/** The locks of a descriptor table by our FILE_LOCK records, as held by the task `pid`. */
export function linuxCrLocks(reader: StreamReader, id: number, pid: number, files: FileTable): Lock[] {
  const table = reader.object(id, "FILE_TABLE");
  return (table?.parts ?? []).flatMap((descriptor) => {
    const { fd_objref: file, fd_descriptor: fd } = reader.find(descriptor, RECORDS.FILE_DESC)?.value ?? {
      fd_objref: 0,
      fd_descriptor: 0,
    };
    return descriptor.parts
      .filter(({ rule }) => rule === "lock")
      .map((part): Lock => {
        const { index, value } = reader.get(part, RECORDS.FILE_LOCK);
        const isWhole = value.fl_end === END_OF_FILE;
        return {
          kind: KINDS[value.fl_flags] ?? "posix",
          type: TYPES[value.fl_type & ~IN_PROGRESS] ?? "unknown",
          breaking: (value.fl_type & IN_PROGRESS) !== 0,
          pid,
          fd,
          start: value.fl_start,
          length: isWhole ? 0n : value.fl_end - value.fl_start + 1n,
          file: files.get(file),
          origin: reader.origin(index),
        };
      });
  });
}
