import { FILE_TYPES } from "../../formats/criu/file-types.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FD_TYPES } from "../../formats/criu/tables/fdinfo.js";
import type { RegFileEntry } from "../../formats/criu/tables/regfile.js";
import { enumName } from "../../schema/enums.js";
import type { DeletedFile, FileTable, OpenFile, Origin, Socket } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import { fileLabel } from "./file-label.js";
import { socketOf } from "./sockets.js";

interface StoredFile {
  readonly type: string;
  readonly id: number;
  readonly record: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
}

/** All ones in a stored offset: the file is not sought at restart. */
const NO_POSITION = 0xffff_ffff_ffff_ffffn;

/** The open files of a set: from files.img, or in sets before criu 3.4 from one image per type. */
export function criuFileTable(
  set: CriuImageSet,
  deletedById: () => ReadonlyMap<number, DeletedFile>,
): FileTable {
  const stored = readStoredFiles(set);
  const byId = new Map<number, OpenFile>();
  const byTypeAndId = new Map<string, OpenFile>();
  const all = stored.map((entry) => new CriuOpenFile(entry, set, table, deletedById));
  function table(): FileTable {
    return files;
  }
  for (const file of all) {
    byTypeAndId.set(`${file.type}:${file.id}`, file);
    if (!byId.has(file.id)) byId.set(file.id, file);
  }
  const files: FileTable = {
    all,
    get: (id, type) => (type === undefined ? byId.get(id) : (byTypeAndId.get(`${type}:${id}`) ?? undefined)),
  };
  return files;
}

class CriuOpenFile implements OpenFile {
  readonly id: number;
  readonly type: string;
  readonly record: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
  readonly #label: () => string;
  readonly #socket: () => Socket | undefined;
  readonly #files: () => FileTable;
  readonly #deleted: () => ReadonlyMap<number, DeletedFile>;

  constructor(
    stored: StoredFile,
    set: CriuImageSet,
    files: () => FileTable,
    deleted: () => ReadonlyMap<number, DeletedFile>,
  ) {
    this.id = stored.id;
    this.type = stored.type;
    this.record = stored.record;
    this.origin = stored.origin;
    this.#files = files;
    this.#deleted = deleted;
    this.#socket = lazy(() => socketOf(this, files()));
    this.#label = lazy(() => fileLabel(this, set));
  }

  get path(): string | undefined {
    if (this.type === "REG") return this.#regular.ext === true ? undefined : this.#regular.name;
    if (this.type === "FIFO" || this.type === "TTY") return this.#node?.path;
    if (this.type === "TUNF") return this.#files().get(this.id, "REG")?.path;
    return undefined;
  }

  get label(): string {
    return this.#label();
  }

  get flags(): number | undefined {
    if (typeof this.record.flags === "number") return this.record.flags;
    return this.#node?.flags;
  }

  get position(): bigint | undefined {
    const position = this.record.pos;
    return typeof position !== "bigint" || position === NO_POSITION ? undefined : position;
  }

  get size(): bigint | undefined {
    return this.type === "REG" ? this.#regular.size : undefined;
  }

  get mode(): number | undefined {
    return this.type === "REG" ? this.#regular.mode : undefined;
  }

  get buildId(): string | undefined {
    if (this.type !== "REG" || this.#regular.build_id.length === 0) return undefined;
    const bytes = Buffer.alloc(this.#regular.build_id.length * 4);
    this.#regular.build_id.forEach((word, i) => {
      bytes.writeUInt32LE(word, i * 4);
    });
    return bytes.toString("hex");
  }

  get socket(): Socket | undefined {
    return this.#socket();
  }

  get pipeId(): number | undefined {
    return this.type === "PIPE" || this.type === "FIFO" ? (this.record.pipe_id as number) : undefined;
  }

  get deleted(): DeletedFile | undefined {
    const node = this.type === "REG" ? this.id : (this.record.regf_id as number | undefined);
    return node === undefined ? undefined : this.#deleted().get(node);
  }

  get #regular(): RegFileEntry {
    return this.record as RegFileEntry;
  }

  /** The regular file entry of a fifo's or terminal's node. */
  get #node(): OpenFile | undefined {
    const id = this.record.regf_id;
    return typeof id === "number" ? this.#files().get(id, "REG") : undefined;
  }
}

function readStoredFiles(set: CriuImageSet): StoredFile[] {
  const union = set.records(IMAGES.FILES);
  if (union.length > 0) {
    const members = new Map(FILE_TYPES.map(({ type, member }) => [type, member]));
    return union.flatMap(({ index, value }) => {
      const type = enumName(FD_TYPES, value.type);
      const member = members.get(type);
      const record = member === undefined ? {} : (value[member] as Record<string, unknown> | undefined);
      // An entry without the member of its type says nothing of the file: as if it were not there.
      if (record === undefined) return [];
      return [{ type, id: value.id, record, origin: origin(IMAGES.FILES.file, index, member) }];
    });
  }
  return FILE_TYPES.flatMap(({ type, splitImage }) =>
    splitImage === undefined
      ? []
      : set.records(splitImage).map(({ index, value }) => ({
          type,
          id: (value as { id?: number }).id ?? 0,
          record: value,
          origin: origin(splitImage.file, index, undefined),
        })),
  );
}

function origin(image: string, record: number, field: string | undefined): Origin {
  return field === undefined ? { image, record } : { image, record, field };
}
