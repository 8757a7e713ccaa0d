import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FD_TYPES, type FdinfoEntry } from "../../formats/criu/tables/fdinfo.js";
import { enumName, enumNumber } from "../../io/enums.js";
import { FD_CLOEXEC } from "../../linux/files.js";
import { lazy } from "../lazy.js";
import type { Descriptor, DescriptorTable, FileTable, OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";

/** What the descriptors of one table share. */
interface TableContext {
  readonly image: string;
  readonly files: () => FileTable;
}

/** One descriptor table, fdinfo-ID.img; without the file it is empty, as criu reads it. */
export function criuDescriptorTable(set: CriuImageSet, id: number, files: () => FileTable): DescriptorTable {
  const context: TableContext = { image: `fdinfo-${id}.img`, files };
  const descriptors = lazy(() => {
    const list: CriuDescriptor[] = [];
    for (const { index, value } of set.image(IMAGES.FDINFO, id)?.heldRecords() ?? [])
      list.push(new CriuDescriptor(value, index, context));
    return list;
  });
  return {
    id,
    get descriptors() {
      return descriptors();
    },
  };
}

class CriuDescriptor implements Descriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly type: string;
  readonly fileId: number;
  readonly label: string | undefined;
  readonly #record: number;
  readonly #context: TableContext;

  constructor(entry: FdinfoEntry, record: number, context: TableContext) {
    this.fd = entry.fd;
    this.closeOnExec = (entry.flags & FD_CLOEXEC) !== 0;
    this.type = enumName(FD_TYPES, entry.type);
    this.fileId = entry.id;
    this.label = entry.xattr_security_selinux;
    this.#record = record;
    this.#context = context;
  }

  get file(): OpenFile | undefined {
    return this.#context.files().get(this.fileId, this.type);
  }

  get origin(): Origin {
    return { image: this.#context.image, record: this.#record };
  }
}

/** The entry of a descriptor of the open file with that id and type. */
export function encodeDescriptor(
  { fd, closeOnExec, label }: Pick<Descriptor, "fd" | "closeOnExec" | "label">,
  file: number,
  type: string,
): FdinfoEntry {
  return {
    ...{ id: file, flags: closeOnExec ? FD_CLOEXEC : 0, type: enumNumber(FD_TYPES, type), fd },
    ...(label === undefined ? {} : { xattr_security_selinux: label }),
  };
}
