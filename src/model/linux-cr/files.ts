import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../formats/linux-cr/tables/files.js";
import { lazy } from "../lazy.js";
import { NumberNames } from "../number-names.js";
import type { DeletedFile, FileIdentity, FileOwner, FileTable, OpenFile, PipeBuffer } from "../open-file.js";
import { type Socket, socketLabel } from "../socket.js";
import type { SpecialFile } from "../special-file.js";
import { deletedFile } from "./deleted-files.js";
import { decodeIdentity } from "./file-identity.js";
import { pidOfTag } from "./pids.js";
import type { StreamReader } from "./reader.js";
import { decodeSocket } from "./sockets.js";
import { decodeSpecial } from "./special-files.js";

/** FILE.f_type by the names that the model has for types of open files; sockets have one by family. */
export const FILE_TYPES = new NumberNames<string>([
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
/** Types of open files that have an offset: those that can be sought. */
const SEEKABLE: ReadonlySet<number> = new Set([FILE_TYPE.generic, FILE_TYPE.memfd]);

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
    const { f_type: type, f_pos: position } = this.record;
    return SEEKABLE.has(type) ? position : undefined;
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
    const sock = this.#reader.object(this.record.sock_objref ?? 0, "SOCK");
    return sock && decodeSocket(this.#reader, sock, this.#fileOfSocket);
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
    if (this.#deleted === null) this.#deleted = deletedFile(this.#reader, this.#part);
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

/** Unread bytes of pipes and fifos, and how much these hold. */
export function linuxCrPipes(reader: StreamReader): PipeBuffer[] {
  const fields = (part: Part) => reader.get(part, RECORDS.FILE).value;
  const capacities = new Map<number | undefined, number>();
  const buffers: (readonly [part: Part, buffer: number])[] = [];
  for (const part of reader.objects("FILE")) {
    const state = reader.find(part, RECORDS.PIPE_STATE)?.value;
    if (state !== undefined) capacities.set(fields(part).pipe_objref, state.capacity);
    const buffer = reader.index(part, RECORDS.PIPE_BUF);
    if (buffer !== undefined) buffers.push([part, buffer]);
  }
  return buffers.map(([part, buffer]) => {
    const { f_type: type, pipe_objref: pipeId = 0 } = fields(part);
    return {
      pipeId,
      kind: FILE_TYPES.nameOf(type) === "FIFO" ? ("fifo" as const) : ("pipe" as const),
      bytes: reader.image.payload(buffer).size,
      capacity: capacities.get(pipeId) ?? 0,
      origin: reader.origin(buffer),
      read: () => reader.image.bytes(buffer),
    };
  });
}
