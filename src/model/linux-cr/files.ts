import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { DeletedFile, FileTable, OpenFile, PipeBuffer, Socket } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import type { StreamReader } from "./reader.js";
import { linuxCrSocket } from "./sockets.js";

/** FILE.f_type by the names that the model has for types of open files. */
const TYPES: Readonly<Record<number, string>> = {
  1: "REG",
  2: "PIPE",
  3: "FIFO",
  4: "UNIXSK",
  5: "TTY",
  6: "EVENTPOLL",
  7: "EVENTFD",
};
const REGULAR = 1;
const SOCKET = 4;
const AF_UNIX = 1;

/** All open files of a stream in its order. The id of one is its object's number. */
export function linuxCrFiles(reader: StreamReader): FileTable {
  const bySocket = lazy(() => {
    const files = new Map<number, OpenFile>();
    for (const file of all)
      if (typeof file.record.sock_objref === "number") files.set(file.record.sock_objref, file);
    return files;
  });
  const all: OpenFile[] = [...reader.objects("FILE")].map((part) =>
    openFile(reader, part, (sock) => bySocket().get(sock)),
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

function openFile(
  reader: StreamReader,
  part: Part,
  fileOfSocket: (sockRef: number) => OpenFile | undefined,
): OpenFile {
  const { index, value } = reader.get(part, RECORDS.FILE);
  const sock = value.f_type === SOCKET ? reader.object(value.sock_objref ?? 0, "SOCK") : undefined;
  const isUnix = sock !== undefined && reader.get(sock, RECORDS.SOCKET).value.sock_common.family === AF_UNIX;
  const type = sock !== undefined && !isUnix ? "INETSK" : (TYPES[value.f_type] ?? String(value.f_type));
  const path = reader.text(part, RECORDS.FILE_NAME);
  const socket = lazy(() => (sock === undefined ? undefined : linuxCrSocket(reader, sock, fileOfSocket)));
  const deleted = lazy(() => deletedFile(reader, part));
  return {
    id: part.objref ?? 0,
    type,
    path,
    get label() {
      return label(reader, type, path, value, socket());
    },
    flags: value.f_flags,
    position: value.f_type === REGULAR ? value.f_pos : undefined,
    size: undefined,
    mode: undefined,
    buildId: undefined,
    get socket() {
      return socket();
    },
    pipeId: value.pipe_objref,
    get deleted() {
      return deleted();
    },
    record: value,
    origin: reader.origin(index),
  };
}

function label(
  reader: StreamReader,
  type: string,
  path: string | undefined,
  file: { readonly pipe_objref?: number; readonly tty_objref?: number },
  socket: Socket | undefined,
): string {
  if (socket?.family === "UNIX") return `unix ${socket.type} ${socket.local || `[${socket.inode}]`}`;
  if (socket !== undefined) {
    const name = socket.protocol || `${socket.family} ${socket.type}`;
    return socket.remote === "" ? `${name} ${socket.local}` : `${name} ${socket.local} -> ${socket.remote}`;
  }
  if (path !== undefined) return path;
  if (file.pipe_objref !== undefined) return `pipe:[${file.pipe_objref}]`;
  if (type === "TTY") return terminalName(reader, file.tty_objref ?? 0);
  return `anon:[${type.toLowerCase()}]`;
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
    deleted: undefined,
    record: {},
    origin: reader.origin(record),
  };
}

const RELINK = 1;
const CONTENTS = 2;

/** How a file comes back whose name was gone, by our FILE_UNLINKED record. */
export function deletedFile(reader: StreamReader, part: Part): DeletedFile | undefined {
  const found = reader.find(part, RECORDS.FILE_UNLINKED);
  if (found === undefined) return undefined;
  const { method, mode, uid, gid, size } = found.value;
  const stored = part.parts.reduce((sum, chunk) => {
    const buffer = reader.get(chunk, RECORDS.BUFFER).index;
    return sum + Math.max(0, reader.image.payload(buffer).size - 8);
  }, 0);
  const keptIn =
    method === CONTENTS ? reader.origin(found.index).image : (reader.text(part, RECORDS.FILE_NAME, 1) ?? "");
  return {
    method: method === CONTENTS ? "ghost" : method === RELINK ? "link remap" : "copy",
    path: reader.text(part, RECORDS.FILE_NAME),
    keptIn,
    fileId: part.objref ?? 0,
    ghost:
      method === CONTENTS
        ? { mode, uid, gid, stored, size, chunked: true, symlinkTarget: undefined }
        : undefined,
    origin: reader.origin(found.index),
  };
}

/** Unread bytes of pipes and fifos. */
export function linuxCrPipes(reader: StreamReader): PipeBuffer[] {
  return [...reader.objects("FILE")].flatMap((part) => {
    const buffer = reader.index(part, RECORDS.PIPE_BUF);
    if (buffer === undefined) return [];
    const { f_type: type, pipe_objref: pipeId = 0 } = reader.get(part, RECORDS.FILE).value;
    return {
      pipeId,
      kind: type === 3 ? ("fifo" as const) : ("pipe" as const),
      bytes: reader.image.payload(buffer).size,
      capacity: 0,
      origin: reader.origin(buffer),
    };
  });
}
