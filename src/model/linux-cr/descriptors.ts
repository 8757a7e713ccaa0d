import { RECORDS } from "../../formats/linux-cr/records.js";
import type { DescriptorTable, FileTable } from "../checkpoint.js";
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
