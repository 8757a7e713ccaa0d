import path from "node:path";
import { FILE_TYPES } from "../../formats/criu/file-types.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FD_TYPES } from "../../formats/criu/tables/fdinfo.js";
import type { FownEntry } from "../../formats/criu/tables/fown.js";
import type { RegFileEntry } from "../../formats/criu/tables/regfile.js";
import { enumName } from "../../io/enums.js";
import { FormatError } from "../../io/errors.js";
import { MAX_DESCRIPTORS, MAX_PATH_LENGTH } from "../../io/limits.js";
import { NumberNames } from "../number-names.js";
import type { DeletedFile, FileIdentity, FileOwner, FileTable, OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";
import type { Socket } from "../socket.js";
import type { SpecialFile } from "../special-file.js";
import { decodeIdentity, encodeIdentity } from "./file-identity.js";
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

/** What the open files of one set share. */
interface FileContext {
  readonly set: CriuImageSet;
  readonly files: () => FileTable;
  readonly deletedById: () => ReadonlyMap<number, DeletedFile>;
}

/** The open files of a set: from files.img, or in sets before criu 3.4 from one image per type. */
export function criuFileTable(
  set: CriuImageSet,
  deletedById: () => ReadonlyMap<number, DeletedFile>,
): FileTable {
  const context: FileContext = { set, files: () => table, deletedById };
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

/** Sets hold many files, so one holds only its record and makes the rest when asked. */
class CriuOpenFile implements OpenFile {
  readonly #context: FileContext;
  readonly #image: string;
  readonly #index: number;
  readonly #member: string | undefined;
  #label: string | undefined;

  constructor(
    readonly type: string,
    readonly id: number,
    readonly record: Readonly<Record<string, unknown>>,
    image: string,
    index: number,
    member: string | undefined,
    context: FileContext,
  ) {
    this.#context = context;
    this.#image = image;
    this.#index = index;
    this.#member = member;
  }

  get origin(): Origin {
    return this.#member === undefined
      ? { image: this.#image, record: this.#index }
      : { image: this.#image, record: this.#index, field: this.#member };
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

  get identity(): FileIdentity | undefined {
    return this.type === "REG" ? decodeIdentity(this.#regular, this.origin) : undefined;
  }

  get size(): bigint | undefined {
    return this.type === "REG" ? this.#regular.size : undefined;
  }

  get mode(): number | undefined {
    return this.type === "REG" ? this.#regular.mode : (this.#node?.record as RegFileEntry | undefined)?.mode;
  }

  get buildId(): string | undefined {
    return this.identity?.buildId?.toString("hex");
  }

  get socket(): Socket | undefined {
    if (!SOCKET_TYPES.has(this.type)) return undefined;
    return socketOf(this, this.#context.files(), this.#context.set);
  }

  get pipeId(): number | undefined {
    return this.type === "PIPE" || this.type === "FIFO" ? (this.record.pipe_id as number) : undefined;
  }

  get owner(): FileOwner | undefined {
    return decodeOwner((this.record.fown ?? this.#node?.record.fown) as FownEntry | undefined);
  }

  get deleted(): DeletedFile | undefined {
    const node = this.type === "REG" ? this.id : this.#nodeId;
    return node === undefined ? undefined : this.#context.deletedById().get(node);
  }

  get special(): SpecialFile | undefined {
    return decodeSpecial(this, this.#context.set);
  }

  get #regular(): RegFileEntry {
    return this.record as RegFileEntry;
  }

  /** The regular file entry of a fifo's or terminal's node. */
  get #node(): OpenFile | undefined {
    const id = this.#nodeId;
    return id === undefined ? undefined : this.#context.files().get(id, "REG");
  }

  /** Before criu 3.6 a fifo and its node had one id. */
  get #nodeId(): number | undefined {
    return (this.record.regf_id as number | undefined) ?? (this.type === "FIFO" ? this.id : undefined);
  }
}

function decodeOwner(entry: FownEntry | undefined): FileOwner | undefined {
  if (entry === undefined || (entry.pid === 0 && entry.signum === 0)) return undefined;
  const kind = OWNER_KINDS.nameOf(entry.pid_type);
  return { kind, pid: entry.pid, signal: entry.signum, uid: entry.uid, euid: entry.euid };
}

/** Nobody gets signals of a file. */
export const NO_OWNER: FownEntry = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

/** Who gets the signals of a file; undefined for a kind of owner that criu does not know. */
export function encodeOwner(owner: FileOwner | undefined): FownEntry | undefined {
  if (owner === undefined) return NO_OWNER;
  const { kind, pid, signal, uid, euid } = owner;
  const type = pid === 0 ? 0 : OWNER_KINDS.numberOf(kind);
  return type === undefined ? undefined : { uid, euid, signum: signal, pid_type: type, pid };
}

/** The entry of an open file with a path, but for its id and its owner. */
export function encodeRegular({
  path = "/",
  flags = 0,
  position = NO_POSITION,
  identity,
}: Pick<OpenFile, "path" | "flags" | "position" | "identity">): Omit<RegFileEntry, "id" | "fown"> {
  const stored = identity && encodeIdentity(identity, "little-endian");
  return { flags, pos: position, name: path, build_id: [], ...stored };
}

/** The records are not kept: sets have tens of thousands of them. */
function readFiles(set: CriuImageSet, context: FileContext): OpenFile[] {
  const files: OpenFile[] = [];
  const members = new Map(FILE_TYPES.map(({ type, member }) => [type, member]));
  for (const { index, offset, value } of set.image(IMAGES.FILES)?.heldRecords() ?? []) {
    const type = enumName(FD_TYPES, value.type);
    const member = members.get(type);
    const record = member === undefined ? {} : (value[member] as Record<string, unknown> | undefined);
    // An entry without the member of its type says nothing of the file: as if it were not there.
    if (record === undefined) continue;
    if (refuses(set, IMAGES.FILES.file, index, offset, record)) continue;
    files.push(new CriuOpenFile(type, value.id, record, IMAGES.FILES.file, index, member, context));
  }
  if (files.length > 0) return files;
  for (const { type, splitImage } of FILE_TYPES) {
    if (splitImage === undefined) continue;
    for (const { index, offset, value } of set.image(splitImage)?.heldRecords() ?? []) {
      const { id = 0 } = value as { id?: number };
      if (refuses(set, splitImage.file, index, offset, value)) continue;
      files.push(new CriuOpenFile(type, id, value, splitImage.file, index, undefined, context));
    }
  }
  return files;
}

/** A name that is too long, since a descriptor costs ten bytes and shows the whole name of its file; too many watches. */
function refuses(
  set: CriuImageSet,
  image: string,
  index: number,
  offset: number,
  record: Readonly<Record<string, unknown>>,
): boolean {
  const { name, tfd } = record;
  const isNamed = typeof name === "string" || Buffer.isBuffer(name);
  const text =
    isNamed && name.length > MAX_PATH_LENGTH
      ? `invalid name of ${name.length} bytes (expected at most ${MAX_PATH_LENGTH})`
      : Array.isArray(tfd) && tfd.length > MAX_DESCRIPTORS
        ? `too many watched descriptors: ${tfd.length} (expected at most ${MAX_DESCRIPTORS})`
        : undefined;
  if (text === undefined) return false;
  const place = { file: path.join(set.name, image), path: `[${index}]`, offset };
  set.refuse(image, index, new FormatError("TOO_LARGE", text, place));
  return true;
}
