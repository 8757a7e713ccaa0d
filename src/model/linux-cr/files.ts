import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { NewRecord } from "../../formats/linux-cr/stream-writer.js";
import { FILE_TYPE } from "../../formats/linux-cr/tables/files.js";
import { textPayload } from "../../formats/linux-cr/write.js";
import type { Piece } from "../../io/concat.js";
import {
  FMODE_LSEEK,
  FMODE_PATH,
  FMODE_PREAD,
  FMODE_PWRITE,
  FMODE_READ,
  FMODE_WRITE,
} from "../../linux/files.js";
import { O_ACCMODE, O_ASYNC, O_PATH, O_RDONLY, O_WRONLY } from "../../linux/open-flags.js";
import { lazy } from "../lazy.js";
import { NumberNames } from "../number-names.js";
import type { DeletedFile, FileIdentity, FileOwner, FileTable, OpenFile } from "../open-file.js";
import { type Socket, socketLabel } from "../socket.js";
import type { SpecialFile } from "../special-file.js";
import { decodeDeleted, encodeDeleted, encodeUnlinkedExtra, type SavedFile } from "./deleted-files.js";
import { decodeIdentity, encodeIdentity } from "./file-identity.js";
import { pidOfTag } from "./pids.js";
import type { StreamReader } from "./reader.js";
import { decodeSocket } from "./sockets.js";
import { decodeSpecial } from "./special-files.js";

/** FILE.f_type by the names that the model has for types of open files; sockets have one by family. */
const FILE_TYPES = new NumberNames<string>([
  [FILE_TYPE.generic, "REG"],
  [FILE_TYPE.pipe, "PIPE"],
  [FILE_TYPE.fifo, "FIFO"],
  [FILE_TYPE.socket, "UNIXSK"],
  [FILE_TYPE.terminal, "TTY"],
  [FILE_TYPE.epoll, "EVENTPOLL"],
  [FILE_TYPE.eventfd, "EVENTFD"],
  [FILE_TYPE.timerfd, "TIMERFD"],
  [FILE_TYPE.signalfd, "SIGNALFD"],
  [FILE_TYPE.memfd, "MEMFD"],
  [FILE_TYPE.inotify, "INOTIFY"],
]);
/** Types of sockets by their family; all others are internet sockets. */
const SOCKET_TYPES: Readonly<Record<number, string>> = { 1: "UNIXSK", 16: "NETLINKSK", 17: "PACKETSK" };
const INET_TYPE = "INETSK";
const OF_SOCKETS: ReadonlySet<string> = new Set([...Object.values(SOCKET_TYPES), INET_TYPE]);
/** Types of open files that may have an offset. */
const SEEKABLE: ReadonlySet<number> = new Set([FILE_TYPE.generic, FILE_TYPE.memfd]);
/** Types whose FILE a FILE_NAME follows. */
const NAMED: ReadonlySet<string> = new Set(["REG", "FIFO"]);

/** FILE_OWNER.pid_type. */
const OWNER_KINDS = new NumberNames<Exclude<FileOwner["kind"], number>>([
  [0, "process"],
  [1, "group"],
  [2, "session"],
  [3, "thread"],
]);

/** All open files of a stream in its order. The id of one is its object's number. */
export function linuxCrFiles(reader: StreamReader): FileTable {
  const all: OpenFile[] = [];
  const byId: OpenFile[] = [];
  const bySocket = lazy(() => {
    const files = new Map<number, OpenFile>();
    for (const file of all) if (OF_SOCKETS.has(file.type)) files.set(file.record.sock_objref as number, file);
    return files;
  });
  const fileOfSocket = (sock: number): OpenFile | undefined => bySocket().get(sock);
  for (const part of reader.objects("FILE")) {
    const file = new LinuxCrOpenFile(reader, part, fileOfSocket);
    all.push(file);
    byId[file.id] = file;
  }
  return {
    all,
    get: (id, type) => {
      const file = byId[id];
      return type === undefined || file?.type === type ? file : undefined;
    },
  };
}

/** A FILE object. There may be half a million: all but its type is read when it is asked for. */
class LinuxCrOpenFile implements OpenFile {
  readonly id: number;
  readonly type: string;
  readonly #reader: StreamReader;
  readonly #fileOfSocket: (sockRef: number) => OpenFile | undefined;
  /** null: not looked for yet. */
  #deleted: DeletedFile | undefined | null = null;
  #socket: Socket | undefined | null = null;

  constructor(reader: StreamReader, part: Part, fileOfSocket: (sockRef: number) => OpenFile | undefined) {
    this.id = part.objref ?? 0;
    this.type = typeOf(reader, part);
    this.#reader = reader;
    this.#fileOfSocket = fileOfSocket;
  }

  get record() {
    return this.#reader.get(this.#part, RECORDS.FILE).value;
  }

  get origin(): OpenFile["origin"] {
    return this.#reader.origin(this.#reader.index(this.#part, RECORDS.FILE) ?? 0);
  }

  get node(): OpenFile | undefined {
    return this.path === undefined ? undefined : this;
  }

  get path(): string | undefined {
    const part = this.#part;
    return this.#reader.text(part, RECORDS.FILE_NAME) ?? this.#reader.text(part, RECORDS.OPENED_NAME);
  }

  get flags(): number {
    return this.record.f_flags;
  }

  get position(): bigint | undefined {
    const { f_type: type, f_mode: mode, f_pos: position } = this.record;
    return SEEKABLE.has(type) && (mode & FMODE_LSEEK) !== 0 ? position : undefined;
  }

  get pipeId(): number | undefined {
    return this.record.pipe_objref;
  }

  get label(): string {
    const { socket } = this;
    if (socket !== undefined) return socketLabel(socket);
    const { path } = this;
    if (path !== undefined) return path;
    const { pipe_objref: pipeId, tty_objref: terminal } = this.record;
    if (pipeId !== undefined) return `pipe:[${pipeId}]`;
    if (this.type === "MEMFD") return `memfd:${this.#reader.text(this.#part, RECORDS.MEMFD) ?? ""}`;
    if (terminal !== undefined) return terminalName(this.#reader, terminal);
    return `anon:[${this.type.toLowerCase()}]`;
  }

  get identity(): FileIdentity | undefined {
    return decodeIdentity(this.#reader, this.#part);
  }

  get size(): bigint | undefined {
    return this.identity?.size;
  }

  get mode(): number | undefined {
    return this.identity?.mode;
  }

  get buildId(): string | undefined {
    return this.identity?.buildId?.toString("hex");
  }

  get socket(): Socket | undefined {
    if (!OF_SOCKETS.has(this.type)) return undefined;
    if (this.#socket === null) {
      const sock = this.#reader.object(this.record.sock_objref ?? 0, "SOCK");
      this.#socket = sock && decodeSocket(this.#reader, sock, this.#fileOfSocket);
    }
    return this.#socket;
  }

  get owner(): FileOwner | undefined {
    const owner = this.#reader.find(this.#part, RECORDS.FILE_OWNER)?.value;
    if (owner === undefined || (owner.pid_ref === 0 && owner.signum === 0)) return undefined;
    return {
      kind: OWNER_KINDS.nameOf(owner.pid_type),
      pid: pidOfTag(this.#reader, owner.pid_ref, this.origin.record),
      signal: owner.signum,
      uid: owner.uid,
      euid: owner.euid,
    };
  }

  get deleted(): DeletedFile | undefined {
    if (this.#deleted === null) this.#deleted = decodeDeleted(this.#reader, this.#part);
    return this.#deleted;
  }

  get special(): SpecialFile | undefined {
    return decodeSpecial(this.#reader, this.#part, this.type);
  }

  get #part(): Part {
    return this.#reader.object(this.id, "FILE") as Part;
  }
}

function typeOf(reader: StreamReader, part: Part): string {
  const { f_type: type, sock_objref: objref = 0 } = reader.get(part, RECORDS.FILE).value;
  const sock = type === FILE_TYPE.socket ? reader.object(objref, "SOCK") : undefined;
  if (sock === undefined) return String(FILE_TYPES.nameOf(type));
  return SOCKET_TYPES[reader.get(sock, RECORDS.SOCKET).value.sock_common.family] ?? INET_TYPE;
}

function terminalName(reader: StreamReader, objref: number): string {
  const tty = reader.object(objref, "TTY");
  if (tty === undefined) return `tty:[${objref}]`;
  const { driver_subtype: subtype, index } = reader.get(tty, RECORDS.TTY).value;
  return subtype === 1 ? `/dev/ptmx [${index}]` : `/dev/pts/${index}`;
}

/** A path that no file description stands for, such as a working directory, as a file that only has a name. */
export function namedPath(reader: StreamReader, record: number): OpenFile {
  const path = reader.image.text(record);
  return {
    id: 0,
    type: "REG",
    node: undefined,
    identity: undefined,
    path,
    label: path,
    flags: undefined,
    position: undefined,
    size: undefined,
    mode: undefined,
    buildId: undefined,
    socket: undefined,
    pipeId: undefined,
    owner: undefined,
    deleted: undefined,
    special: undefined,
    record: {},
    origin: reader.origin(record),
  };
}

/** An open file as a checkpoint knows it: a stream has an owner for each that sends signals, also to nobody yet. */
export interface SavedOpenFile extends Pick<OpenFile, "type" | "path" | "flags" | "position" | "owner"> {
  readonly identity: Omit<FileIdentity, "origin"> | undefined;
  readonly deleted: SavedFile | undefined;
}

/** What the records of an open file name of others in the stream, and what stands with the first file of a kind. */
export interface FileNumbers {
  readonly objref: number;
  /** CRED that it was opened with. */
  readonly credentials: number;
  /** The fields of FILE that only its type has. */
  readonly own?: Readonly<Record<string, unknown>> | undefined;
  /** Of the task or group that gets its signals; undefined for one that the stream does not know. */
  readonly tag: (pid: number) => number | undefined;
  /** Contents of a pipe, with its first end. */
  readonly pipe?: { readonly data: readonly Piece[]; readonly capacity: number | undefined } | undefined;
  /** The hidden number of a deleted inode, where it has one. */
  readonly inode?: { readonly objref: number; readonly isNew: boolean } | undefined;
}

/** The records of an open file behind its OBJREF, up to those that only its type has. */
export function* encodeFile(file: SavedOpenFile, numbers: FileNumbers): Generator<NewRecord> {
  const { type, path = "/", flags = 0, position, owner, identity, deleted } = file;
  const { objref, credentials, own, pipe, inode } = numbers;
  yield {
    kind: RECORDS.FILE,
    fields: {
      f_type: OF_SOCKETS.has(type) ? FILE_TYPE.socket : FILE_TYPES.numberOf(type),
      f_mode: modeOf(flags, position !== undefined),
      f_flags: flags,
      f_credref: credentials,
      f_pos: position ?? 0n,
      ...own,
    },
  };
  if (NAMED.has(type))
    yield { kind: RECORDS.FILE_NAME, fields: {}, payload: textPayload(RECORDS.FILE_NAME, path) };
  if (deleted !== undefined) yield* encodeDeleted(deleted, { file: objref, isFirst: inode?.isNew ?? true });
  if (pipe !== undefined) yield { kind: RECORDS.PIPE_BUF, fields: {}, payload: pipe.data };
  const stored = owner && encodeOwner(owner, flags, numbers);
  if (stored !== undefined) yield { kind: RECORDS.FILE_OWNER, fields: stored };
  if (identity !== undefined) {
    const { payload, ...fields } = encodeIdentity(identity);
    yield { kind: RECORDS.FILE_IDENTITY, fields: { file_objref: objref, ...fields }, payload };
  }
  if (type === "TTY" && file.path !== undefined)
    yield {
      kind: RECORDS.OPENED_NAME,
      fields: { file_objref: objref },
      payload: textPayload(RECORDS.OPENED_NAME, path),
    };
  if (deleted !== undefined && inode !== undefined)
    yield encodeUnlinkedExtra(deleted.inode, objref, {
      number: inode.objref,
      standsEarlier: deleted.ghost !== undefined && !inode.isNew,
    });
  if (pipe?.capacity !== undefined) yield { kind: RECORDS.PIPE_STATE, fields: { capacity: pipe.capacity } };
}

/** FILE.f_mode of a file opened with these flags; access mode 3 is for ioctl(2) alone. */
function modeOf(flags: number, canSeek: boolean): number {
  if ((flags & O_PATH) !== 0) return FMODE_PATH | (canSeek ? FMODE_LSEEK : 0);
  const seek = canSeek ? FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE : 0;
  const access = flags & O_ACCMODE;
  if (access === O_ACCMODE) return seek;
  return seek | (access === O_WRONLY ? 0 : FMODE_READ) | (access === O_RDONLY ? 0 : FMODE_WRITE);
}

/** FILE_OWNER; undefined for a kind that it has no number for, and for somebody who is not in the stream. */
export function encodeOwner(
  { kind, pid, signal, uid, euid }: FileOwner,
  flags: number,
  { objref, tag }: Pick<FileNumbers, "objref" | "tag">,
) {
  const number = pid === 0 ? 0 : tag(pid);
  // Nobody has no kind.
  const type = pid === 0 && typeof kind === "number" ? 0 : OWNER_KINDS.numberOf(kind);
  if (number === undefined || type === undefined) return undefined;
  return {
    ...{ file_objref: objref, pid_ref: number, pid_type: type, uid, euid, signum: signal },
    async: (flags & O_ASYNC) === 0 ? 0 : 1,
  };
}
