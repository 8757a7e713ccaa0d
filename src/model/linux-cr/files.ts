import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { DeletedFile, FileOwner, FileTable, OpenFile, PipeBuffer, Socket } from "../checkpoint.js";
import type { FileState } from "../file-state.js";
import { lazy } from "../lazy.js";
import { deletedFile } from "./deleted-files.js";
import { linuxCrFileState } from "./file-state.js";
import { pidOfTag } from "./pids.js";
import type { StreamReader } from "./reader.js";
import { linuxCrSocket } from "./sockets.js";

/** FILE.f_type by the names that the model has for types of open files; from 1001 on those of our extension. */
const TYPES: Readonly<Record<number, string>> = {
  1: "REG",
  2: "PIPE",
  3: "FIFO",
  4: "UNIXSK",
  5: "TTY",
  6: "EVENTPOLL",
  7: "EVENTFD",
  1001: "TIMERFD",
  1002: "SIGNALFD",
  1003: "MEMFD",
  1004: "INOTIFY",
};
const SOCKET = 4;
/** Types of sockets by their family; all others are internet sockets. */
const SOCKET_TYPES: Readonly<Record<number, string>> = { 1: "UNIXSK", 16: "NETLINKSK", 17: "PACKETSK" };
/** Types of open files that have an offset: those that can be sought. */
const SEEKABLE: ReadonlySet<number> = new Set([1, 1003]);

/** FILE_IDENTITY.flags: what is stored. */
const HAS_MODE = 1;
const HAS_SIZE = 4;

/** FILE_OWNER.pid_type. */
const OWNER_KINDS: readonly FileOwner["kind"][] = ["process", "group", "session", "thread"];

/** All open files of a stream in its order. The id of one is its object's number. */
export function linuxCrFiles(reader: StreamReader): FileTable {
  const bySocket = lazy(() => {
    const files = new Map<number, OpenFile>();
    for (const file of all)
      if (typeof file.record.sock_objref === "number") files.set(file.record.sock_objref, file);
    return files;
  });
  const all: OpenFile[] = [...reader.objects("FILE")].map(
    (part) => new LinuxCrOpenFile(reader, part, (sock) => bySocket().get(sock)),
  );
  const byId = new Map(all.map((file) => [file.id, file]));
  return {
    all,
    get: (id, type) => {
      const file = byId.get(id);
      return type === undefined || file?.type === type ? file : undefined;
    },
  };
}

/** A FILE object; what other records say of it is read when it is asked for. */
class LinuxCrOpenFile implements OpenFile {
  readonly id: number;
  readonly type: string;
  readonly path: string | undefined;
  readonly flags: number;
  readonly position: bigint | undefined;
  readonly pipeId: number | undefined;
  readonly record: Readonly<Record<string, unknown>>;
  readonly origin: OpenFile["origin"];
  readonly #reader: StreamReader;
  readonly #part: Part;
  readonly #socket: () => Socket | undefined;
  readonly #deleted: () => DeletedFile | undefined;
  readonly #terminal: number | undefined;

  constructor(reader: StreamReader, part: Part, fileOfSocket: (sockRef: number) => OpenFile | undefined) {
    const { index, value } = reader.get(part, RECORDS.FILE);
    const sock = value.f_type === SOCKET ? reader.object(value.sock_objref ?? 0, "SOCK") : undefined;
    const family = sock && reader.get(sock, RECORDS.SOCKET).value.sock_common.family;
    this.id = part.objref ?? 0;
    this.type =
      family === undefined
        ? (TYPES[value.f_type] ?? String(value.f_type))
        : (SOCKET_TYPES[family] ?? "INETSK");
    this.path = reader.text(part, RECORDS.FILE_NAME) ?? reader.text(part, RECORDS.OPENED_NAME);
    this.flags = value.f_flags;
    this.position = SEEKABLE.has(value.f_type) ? value.f_pos : undefined;
    this.pipeId = value.pipe_objref;
    this.record = value;
    this.origin = reader.origin(index);
    this.#reader = reader;
    this.#part = part;
    this.#socket = lazy(() => (sock === undefined ? undefined : linuxCrSocket(reader, sock, fileOfSocket)));
    this.#deleted = lazy(() => deletedFile(reader, part));
    this.#terminal = value.tty_objref;
  }

  get label(): string {
    const { socket } = this;
    if (socket?.family === "UNIX") return `unix ${socket.type} ${socket.local || `[${socket.inode}]`}`;
    if (socket !== undefined) {
      const name = socket.protocol || `${socket.family} ${socket.type}`;
      return socket.remote === "" ? `${name} ${socket.local}` : `${name} ${socket.local} -> ${socket.remote}`;
    }
    if (this.path !== undefined) return this.path;
    if (this.pipeId !== undefined) return `pipe:[${this.pipeId}]`;
    if (this.type === "MEMFD") return `memfd:${this.#reader.text(this.#part, RECORDS.MEMFD) ?? ""}`;
    if (this.#terminal !== undefined) return terminalName(this.#reader, this.#terminal);
    return `anon:[${this.type.toLowerCase()}]`;
  }

  get size(): bigint | undefined {
    const identity = this.#identity;
    return identity !== undefined && identity.flags & HAS_SIZE ? identity.size : undefined;
  }

  get mode(): number | undefined {
    const identity = this.#identity;
    return identity !== undefined && identity.flags & HAS_MODE ? identity.mode : undefined;
  }

  get buildId(): string | undefined {
    const index = this.#reader.index(this.#part, RECORDS.FILE_IDENTITY);
    return index === undefined ? undefined : this.#reader.image.bytes(index).toString("hex") || undefined;
  }

  get socket(): Socket | undefined {
    return this.#socket();
  }

  get owner(): FileOwner | undefined {
    const owner = this.#reader.find(this.#part, RECORDS.FILE_OWNER)?.value;
    if (owner === undefined || (owner.pid_ref === 0 && owner.signum === 0)) return undefined;
    return {
      kind: OWNER_KINDS[owner.pid_type] ?? "process",
      pid: pidOfTag(this.#reader, owner.pid_ref, this.origin.record),
      signal: owner.signum,
      uid: owner.uid,
      euid: owner.euid,
    };
  }

  get deleted(): DeletedFile | undefined {
    return this.#deleted();
  }

  get state(): FileState {
    return linuxCrFileState(this.#reader, this.#part, this.type);
  }

  get #identity() {
    return this.#reader.find(this.#part, RECORDS.FILE_IDENTITY)?.value;
  }
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
    state: {},
    record: {},
    origin: reader.origin(record),
  };
}

/** Unread bytes of pipes and fifos, and how much these hold. */
export function linuxCrPipes(reader: StreamReader): PipeBuffer[] {
  const parts = [...reader.objects("FILE")];
  const fields = (part: Part) => reader.get(part, RECORDS.FILE).value;
  const capacities = new Map(
    parts.flatMap((part) => {
      const state = reader.find(part, RECORDS.PIPE_STATE)?.value;
      return state === undefined ? [] : [[fields(part).pipe_objref, state.capacity] as const];
    }),
  );
  return parts.flatMap((part) => {
    const buffer = reader.index(part, RECORDS.PIPE_BUF);
    if (buffer === undefined) return [];
    const { f_type: type, pipe_objref: pipeId = 0 } = fields(part);
    return {
      pipeId,
      kind: TYPES[type] === "FIFO" ? ("fifo" as const) : ("pipe" as const),
      bytes: reader.image.payload(buffer).size,
      capacity: capacities.get(pipeId) ?? 0,
      origin: reader.origin(buffer),
      read: () => reader.image.bytes(buffer),
    };
  });
}
