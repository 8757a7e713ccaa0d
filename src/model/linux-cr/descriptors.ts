import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { NewRecord } from "../../formats/linux-cr/stream-writer.js";
import { lazy } from "../lazy.js";
import type { Descriptor, DescriptorTable, FileTable, OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";
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
      .map((part) => new LinuxCrDescriptor(reader, part, files)),
  );
  return {
    id,
    get descriptors() {
      return descriptors();
    },
  };
}

/** A FILE_DESC; there may be half a million. */
class LinuxCrDescriptor implements Descriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly fileId: number;
  /** Streams keep labels of open files, of which crimg writes none. */
  readonly label = undefined;
  readonly #index: number;
  readonly #reader: StreamReader;
  readonly #files: () => FileTable;

  constructor(reader: StreamReader, part: Part, files: () => FileTable) {
    const { index, value } = reader.get(part, RECORDS.FILE_DESC);
    this.fd = value.fd_descriptor;
    this.closeOnExec = value.fd_close_on_exec !== 0;
    this.fileId = value.fd_objref;
    this.#index = index;
    this.#reader = reader;
    this.#files = files;
  }

  get file(): OpenFile | undefined {
    return this.#files().get(this.fileId);
  }

  get type(): string {
    return this.file?.type ?? "unknown";
  }

  get origin(): Origin {
    return this.#reader.origin(this.#index);
  }
}

/** FILE_DESC of a descriptor of a FILE object. */
export function encodeDescriptor(
  { fd, closeOnExec }: Pick<Descriptor, "fd" | "closeOnExec">,
  file: number,
): NewRecord {
  const fields = { fd_objref: file, fd_descriptor: fd, fd_close_on_exec: closeOnExec ? 1 : 0 };
  return { kind: RECORDS.FILE_DESC, fields };
}
