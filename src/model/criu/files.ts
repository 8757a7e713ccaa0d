import path from "node:path";
import { FILE_TYPES } from "../../formats/criu/file-types.js";
import type { CriuImage, ImageRecord } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FD_TYPES, type FileEntry } from "../../formats/criu/tables/fdinfo.js";
import type { FownEntry } from "../../formats/criu/tables/fown.js";
import type { RegFileEntry } from "../../formats/criu/tables/regfile.js";
import { enumName } from "../../io/enums.js";
import { FormatError } from "../../io/errors.js";
import { MAX_PATH_LENGTH } from "../../io/limits.js";
import { Recent } from "../../io/recent.js";
import { wordBytes } from "../../io/words.js";
import type { AnyValue } from "../../schema/message.js";
import type { DeletedFile, FileOwner, FileTable, OpenFile, Origin } from "../checkpoint.js";
import { NumberNames } from "../number-names.js";
import type { Socket } from "../socket.js";
import type { SpecialFile } from "../special-file.js";
import { fileLabel } from "./file-label.js";
import { socketOf } from "./sockets.js";
import { decodeSpecial } from "./special-files.js";

/** All ones in a stored offset: the file is not sought at restart. */
const NO_POSITION = 0xffff_ffff_ffff_ffffn;

/** fown_entry.pid_type, the numbers of the kernel's enum pid_type. */
const OWNER_KINDS = new NumberNames<Exclude<FileOwner["kind"], number>>([
  [0, "thread"],
  [1, "process"],
  [2, "group"],
]);

const SOCKET_TYPES: ReadonlySet<string> = new Set(["UNIXSK", "INETSK", "NETLINKSK", "PACKETSK"]);

/** What an open file takes besides what is stored of it: the objects of its record and its socket. */
const OBJECT_BYTES = 512;

/** What the open files of one set share. */
interface FileContext {
  readonly set: CriuImageSet;
  readonly files: () => FileTable;
  readonly deletedById: () => ReadonlyMap<number, DeletedFile>;
  readonly recent: Recent<CriuOpenFile, Contents>;
}

type FileRecord = Readonly<Record<string, unknown>>;

/** Where the open files of one type stand. */
interface Place {
  readonly image: CriuImage;
  /** Member of the message in files.img; undefined for the images of one type each. */
  readonly member: string | undefined;
  /** The record of a file in the message; undefined when that says nothing of it. */
  readonly recordIn: (value: AnyValue) => FileRecord | undefined;
}

/** What is read and made of an open file when it is looked at. */
interface Contents {
  record?: FileRecord;
  socket?: Socket | undefined;
}

/** The open files of a set: from files.img, or in sets before criu 3.4 from one image per type. */
export function criuFileTable(
  set: CriuImageSet,
  deletedById: () => ReadonlyMap<number, DeletedFile>,
): FileTable {
  const recent = new Recent<CriuOpenFile, Contents>(() => ({}));
  const context: FileContext = { set, files: () => table, deletedById, recent };
  const all = readFiles(set, context);
  const byId = new Map<number, OpenFile>();
  const others = new Map<string, OpenFile>();
  for (const file of all) {
    const first = byId.get(file.id);
    if (first === undefined) byId.set(file.id, file);
    else others.set(`${file.type}:${file.id}`, file);
  }
  const table: FileTable = {
    all,
    get: (id, type) => {
      const first = byId.get(id);
      return type === undefined || first?.type === type ? first : others.get(`${type}:${id}`);
    },
  };
  return table;
}

/** Sets hold many files, so one holds only where its record stands and reads it when asked. */
class CriuOpenFile implements OpenFile {
  readonly id: number;
  readonly #context: FileContext;
  readonly #place: Place;
  readonly #index: number;
  readonly #offset: number;
  readonly #size: number;
  /** Id of the regular file entry of a fifo's or terminal's node. */
  readonly #nodeId: number | undefined;
  #label: string | undefined;

  constructor(
    readonly type: string,
    id: number,
    record: FileRecord,
    { index, offset, size }: ImageRecord<unknown>,
    place: Place,
    context: FileContext,
  ) {
    this.id = id;
    this.#context = context;
    this.#place = place;
    this.#index = index;
    this.#offset = offset;
    this.#size = size;
    this.#nodeId = typeof record.regf_id === "number" ? record.regf_id : undefined;
  }

  get record(): FileRecord {
    const contents = this.#context.recent.of(this);
    if (contents.record === undefined) {
      const place = { index: this.#index, offset: this.#offset, size: this.#size };
      contents.record = this.#place.recordIn(this.#place.image.valueAt(place)) ?? {};
      this.#context.recent.weigh(this, this.#size + OBJECT_BYTES);
    }
    return contents.record;
  }

  get origin(): Origin {
    const { image, member: field } = this.#place;
    const origin = { image: image.fileName, record: this.#index };
    return field === undefined ? origin : { ...origin, field };
  }

  get node(): OpenFile | undefined {
    if (this.type === "REG") return this.#regular.ext === true ? undefined : this;
    if (this.type === "FIFO" || this.type === "TTY") return this.#node;
    return this.type === "TUNF" ? this.#context.files().get(this.id, "REG") : undefined;
  }

  get path(): string | undefined {
    const { node } = this;
    return node === this ? this.#regular.name : node?.path;
  }

  get label(): string {
    this.#label ??= fileLabel(this, this.#context.set);
    return this.#label;
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
    return this.type === "REG" ? this.#regular.mode : (this.#node?.record as RegFileEntry | undefined)?.mode;
  }

  get buildId(): string | undefined {
    if (this.type !== "REG" || this.#regular.build_id.length === 0) return undefined;
    return wordBytes("u32", this.#regular.build_id, "word of a build id").toString("hex");
  }

  get socket(): Socket | undefined {
    if (!SOCKET_TYPES.has(this.type)) return undefined;
    return socketOf(this, this.#context.files(), this.#context.set);
  }

  get pipeId(): number | undefined {
    return this.type === "PIPE" || this.type === "FIFO" ? (this.record.pipe_id as number) : undefined;
  }

  get owner(): FileOwner | undefined {
    const entry = (this.record.fown ?? this.#node?.record.fown) as FownEntry | undefined;
    if (entry === undefined || (entry.pid === 0 && entry.signum === 0)) return undefined;
    const kind = OWNER_KINDS.nameOf(entry.pid_type);
    return { kind, pid: entry.pid, signal: entry.signum, uid: entry.uid, euid: entry.euid };
  }

  get deleted(): DeletedFile | undefined {
    const node = this.type === "REG" ? this.id : this.#nodeId;
    return node === undefined ? undefined : this.#context.deletedById().get(node);
  }

  get special(): SpecialFile | undefined {
    return decodeSpecial(this.type, this.record, this.#context.set);
  }

  get #regular(): RegFileEntry {
    return this.record as RegFileEntry;
  }

  /** The regular file entry of a fifo's or terminal's node. */
  get #node(): OpenFile | undefined {
    return this.#nodeId === undefined ? undefined : this.#context.files().get(this.#nodeId, "REG");
  }
}

/** The records are not kept: sets have tens of thousands of them. */
function readFiles(set: CriuImageSet, context: FileContext): OpenFile[] {
  const image = set.image(IMAGES.FILES);
  const files = image === undefined ? [] : readAllTypes(set, image, context);
  if (files.length > 0) return files;
  for (const { type, splitImage } of FILE_TYPES) {
    const image = splitImage && set.image(splitImage);
    if (image === undefined) continue;
    const place: Place = { image, member: undefined, recordIn: (value) => value };
    for (const record of image.heldRecords()) {
      const { id = 0 } = record.value as { id?: number };
      if (!refusesName(set, image, record, record.value))
        files.push(new CriuOpenFile(type, id, record.value, record, place, context));
    }
  }
  return files;
}

function readAllTypes(set: CriuImageSet, image: CriuImage<FileEntry>, context: FileContext): OpenFile[] {
  const files: OpenFile[] = [];
  const places = new Map(FILE_TYPES.map(({ type, member }) => [type, placeOf(image, member)]));
  const unknown = placeOf(image, undefined);
  for (const record of image.heldRecords()) {
    const type = enumName(FD_TYPES, record.value.type);
    const place = places.get(type) ?? unknown;
    const entry = place.recordIn(record.value as AnyValue);
    // An entry without the member of its type says nothing of the file: as if it were not there.
    if (entry === undefined || refusesName(set, image, record, entry)) continue;
    files.push(new CriuOpenFile(type, record.value.id, entry, record, place, context));
  }
  return files;
}

function placeOf(image: CriuImage<FileEntry>, member: string | undefined): Place {
  const recordIn: Place["recordIn"] = (value) =>
    member === undefined ? {} : (value[member] as FileRecord | undefined);
  return { image: image as CriuImage, member, recordIn };
}

/** A descriptor costs ten bytes and shows the whole name of its file. */
function refusesName(
  set: CriuImageSet,
  { fileName }: { readonly fileName: string },
  { index, offset }: ImageRecord<unknown>,
  { name }: FileRecord,
): boolean {
  if ((typeof name !== "string" && !Buffer.isBuffer(name)) || name.length <= MAX_PATH_LENGTH) return false;
  const text = `invalid name of ${name.length} bytes (expected at most ${MAX_PATH_LENGTH})`;
  const place = { file: path.join(set.name, fileName), path: `[${index}]`, offset };
  set.refuse(fileName, index, new FormatError("TOO_LARGE", text, place));
  return true;
}
