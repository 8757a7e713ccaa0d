import { IMAGES } from "../../../formats/criu/images.js";
import { FDINFO_ENTRY } from "../../../formats/criu/tables/fdinfo.js";
import { PIPE_DATA_ENTRY } from "../../../formats/criu/tables/pipe.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Checkpoint } from "../../../model/checkpoint.js";
import { encodeDescriptor } from "../../../model/criu/descriptors.js";
import { encodeRegular } from "../../../model/criu/files.js";
import { encodePipe, PIPE_IMAGES } from "../../../model/criu/pipes.js";
import { encodeSpecial } from "../../../model/criu/special-files.js";
import type { DescriptorTable, OpenFile } from "../../../model/open-file.js";
import type { Memfd } from "../../../model/special-file.js";
import type { ToCriu } from "./context.js";
import { remapDeleted } from "./deleted-files.js";
import { writeLocks } from "./file-locks.js";
import { memoryFile } from "./shared-memory.js";
import { socket } from "./sockets.js";
import { addFile, commonFields, type OtherFiles, type StreamFile, streamFile } from "./stream-file.js";
import { writeTerminal } from "./terminals.js";

const CONVERTERS: Readonly<Record<string, (file: StreamFile) => void>> = {
  REG: regularFile,
  PIPE: pipe,
  FIFO: fifo,
  UNIXSK: socket,
  INETSK: socket,
  NETLINKSK: socket,
  PACKETSK: socket,
  TTY: terminal,
  EVENTPOLL: specialFile,
  EVENTFD: specialFile,
  TIMERFD: specialFile,
  SIGNALFD: specialFile,
  MEMFD: memfd,
  INOTIFY: specialFile,
};

/** A descriptor table with the pid that criu knows it by: of the first process that has it. */
interface Table {
  readonly pid: number;
  readonly table: DescriptorTable;
}

/** All open files with what belongs to them, the descriptor tables, and the locks. */
export function convertFiles(context: ToCriu): void {
  const { reader, checkpoint } = context;
  const files = checkpoint.files.all;
  const tables = tablesOf(checkpoint);
  const holders = new Map<number, string>();
  for (const { pid, table } of tables)
    for (const { fd, fileId } of table.descriptors)
      if (!holders.has(fileId)) holders.set(fileId, `task ${pid} fd ${fd}`);
  const others: OtherFiles = {
    ghosts: new Map(),
    terminals: new Map(),
    openSockets: new Set(files.flatMap(({ record }) => (record.sock_objref as number | undefined) ?? [])),
  };
  for (const [i, part] of [...reader.objects("FILE")].entries()) {
    const file = files[i] as OpenFile;
    convertFile(streamFile(context, part, file, holders.get(file.id), others));
  }
  writePipes(context, checkpoint);
  for (const table of tables) writeDescriptors(context, table);
  writeLocks(context, checkpoint);
}

function tablesOf({ tasks }: Checkpoint): readonly Table[] {
  const tables = new Map<number, Table>();
  for (const { pid, descriptors: table } of tasks)
    if (table !== undefined && !tables.has(table.id)) tables.set(table.id, { pid, table });
  return [...tables.values()];
}

/** Errors: FormatError for a kind of file that no header set names. */
function convertFile(file: StreamFile): void {
  const { context, file: from, label } = file;
  const convert = CONVERTERS[from.type];
  if (convert === undefined)
    throw context.reader.image.error(from.origin.record, `${label} is of the unknown kind ${from.type}`);
  convert(file);
}

/** A file, directory or device with a path. */
function regularFile(file: StreamFile): void {
  addNode(file, file.id);
}

/** The entry with the path of an open file, which `regf_id` of a fifo or terminal names; gives its id. */
function addNode(
  file: StreamFile,
  id = file.context.newFileId(),
  changes: Partial<Pick<OpenFile, "path" | "position">> = {},
): number {
  const { path, flags, position, identity } = file.file;
  const entry = encodeRegular({ path, flags, position, identity, ...changes });
  addFile(file.context, "REG", id, { reg: { id, fown: file.owner, ...entry } });
  remapDeleted(file, id);
  return id;
}

function pipe(file: StreamFile): void {
  const { context, id } = file;
  const pipeId = context.id("PIPE", file.file.pipeId ?? 0);
  addFile(context, "PIPE", id, { pipe: { ...commonFields(file), pipe_id: pipeId } });
}

function fifo(file: StreamFile): void {
  const { context, id } = file;
  const pipeId = context.id("PIPE", file.file.pipeId ?? 0);
  const node = addNode(file, undefined, { position: 0n });
  addFile(context, "FIFO", id, { fifo: { id, pipe_id: pipeId, regf_id: node } });
}

function writePipes(context: ToCriu, { pipes }: Checkpoint): void {
  for (const buffer of pipes)
    if (buffer.bytes > 0 || buffer.capacity !== undefined)
      context.set.add(
        PIPE_IMAGES[buffer.kind],
        undefined,
        PIPE_DATA_ENTRY,
        encodePipe(buffer, context.id("PIPE", buffer.pipeId)),
        buffer.data,
      );
}

/** An open terminal: one end of a pseudo terminal. */
function terminal(file: StreamFile): void {
  const { context, id, file: from, label, others } = file;
  const objref = (from.record.tty_objref as number | undefined) ?? 0;
  const found = others.terminals.get(objref) ?? writeTerminal(context, objref);
  if (found === undefined)
    throw context.reader.image.error(from.origin.record, `${label} names no terminal of the stream`);
  others.terminals.set(objref, found);
  const { isMaster, index } = found.terminal;
  const path = from.path ?? (isMaster ? "/dev/ptmx" : `/dev/pts/${index}`);
  const node = addNode(file, undefined, { path, position: 0n });
  addFile(context, "TTY", id, { tty: { ...commonFields(file), tty_info_id: found.id, regf_id: node } });
}

/** A file that is nothing but its own state: eventfd, signalfd, timerfd, epoll, inotify. */
function specialFile(file: StreamFile): void {
  const { context, id, file: from, label } = file;
  const { special } = from;
  const encoded = special && encodeSpecial(special, commonFields(file));
  if (encoded === undefined)
    throw context.reader.image.error(from.origin.record, `${label} has no record of its type`);
  if (special?.kind === "eventfd" && special.semaphore)
    context.losses.add(label, "that each read takes 1 (EFD_SEMAPHORE)", "criu restores a plain counter");
  if (special?.kind === "epoll" && special.watches === undefined)
    context.losses.add(label, "what it watches", "the stream does not say it");
  addFile(context, encoded[0], id, encoded[1]);
}

function memfd(file: StreamFile): void {
  const { context, part, id, file: from } = file;
  const { inode_objref: objref } = context.reader.get(part, RECORDS.MEMFD).value;
  const inode = memoryFile(context, objref, from.special as Memfd, part);
  addFile(context, "MEMFD", id, {
    memfd: { ...commonFields(file), pos: from.position ?? 0n, inode_id: inode },
  });
}

/** The fdinfo image of a table, after the files. */
function writeDescriptors(context: ToCriu, { pid, table }: Table): void {
  const { reader, set, losses, fileTypes } = context;
  const seen = new Set<number>();
  for (const descriptor of table.descriptors) {
    const { fd, fileId, file, origin } = descriptor;
    if (seen.has(fd))
      losses.add(
        `task ${pid} fd ${fd}`,
        "which of its files has the locks",
        "a set names the file of a lock by pid and fd, and this fd occurs twice",
      );
    seen.add(fd);
    if (file === undefined)
      throw reader.image.error(origin.record, `descriptor ${fd} names no file of the stream`);
    const id = context.fileId(fileId);
    const type = fileTypes.get(id);
    if (type === undefined) losses.add(`task ${pid} fd ${fd}`, "the descriptor", "its file is lost");
    else {
      const entry = encodeDescriptor(descriptor, id, type);
      set.add(IMAGES.FDINFO, context.id("FILE_TABLE", table.id), FDINFO_ENTRY, entry);
    }
  }
}
