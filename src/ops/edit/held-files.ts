import { UsageError } from "../../io/errors.js";
import { O_ACCMODE, O_WRONLY } from "../../linux/open-flags.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import type { Lock } from "../../model/lock.js";
import type { DescriptorTable, FileTable, OpenFile } from "../../model/open-file.js";
import type { Origin } from "../../model/origin.js";
import type { Socket } from "../../model/socket.js";

/** A descriptor by pid and number, in the field's notation `PID:FD`. */
export interface DescriptorName {
  readonly pid: number;
  readonly fd: number;
}

/** Reads `PID:FD`. Errors: USAGE. */
export function parseDescriptorName(text: string): DescriptorName {
  const [, pid, fd] = /^(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  if (pid === undefined || fd === undefined)
    throw new UsageError(`invalid ${JSON.stringify(text)} (expected PID:FD, e.g. 4711:1)`);
  return { pid: Number(pid), fd: Number(fd) };
}

/** A descriptor of a table. */
export interface HeldDescriptor {
  readonly table: number;
  /** Tasks that have this table; several when they were made with CLONE_FILES. */
  readonly pids: readonly number[];
  readonly fd: number;
  readonly type: string;
  readonly fileId: number;
  /** Undefined in a damaged image. */
  readonly file: OpenFile | undefined;
  readonly origin: Origin;
}

/** `4711:1`; the tasks of a shared table are named. */
export function descriptorText({ pids, fd }: Pick<HeldDescriptor, "pids" | "fd">): string {
  return `${firstOf(pids, ",")}:${fd}`;
}

/** The names of descriptors. */
export function descriptorsText(descriptors: readonly HeldDescriptor[]): string {
  return firstOf(descriptors, ", ", descriptorText);
}

/** More are only counted: an image may have 60,000, and each of them may name all others. */
const LISTED = 20;

/** The first of a list as text. */
export function firstOf<T>(
  all: readonly T[] | ReadonlySet<T>,
  separator: string,
  text: (item: T) => string = String,
): string {
  const count = "size" in all ? all.size : all.length;
  const first: string[] = [];
  for (const item of all) {
    if (first.length === LISTED) break;
    first.push(text(item));
  }
  return first.join(separator) + (count > LISTED ? ` and ${count - LISTED} more` : "");
}

/** The descriptors before any of them was closed or redirected, and which of them were since. */
export class HeldFiles {
  /** Each table once, tables in the order of the tasks. */
  readonly all: readonly HeldDescriptor[];
  readonly files: FileTable;
  readonly #tables = new Map<number, readonly HeldDescriptor[]>();
  readonly #holders = new Map<OpenFile, HeldDescriptor[]>();
  readonly #locks = new Map<OpenFile, Lock[]>();
  readonly #closed = new Set<HeldDescriptor>();
  readonly #letGo = new Set<HeldDescriptor>();
  /** How many descriptors have let go of a file. */
  readonly #losses = new Map<OpenFile, number>();
  readonly #ended = new Map<number, Set<number>>();

  /** `lockedFiles` gives the files of those descriptors that a lock stands with. */
  constructor(
    { tasks, files, locks }: Checkpoint,
    lockedFiles: (lock: Lock, files: FileTable) => readonly OpenFile[],
  ) {
    this.files = files;
    const tables = new Map<number, { readonly pids: number[]; readonly held: readonly HeldDescriptor[] }>();
    for (const { pid, descriptors } of tasks) {
      if (descriptors === undefined) continue;
      const known = tables.get(descriptors.id) ?? readTable(descriptors);
      tables.set(descriptors.id, known);
      known.pids.push(pid);
      this.#tables.set(pid, known.held);
    }
    this.all = [...tables.values()].flatMap(({ held }) => held);
    for (const each of this.all) if (each.file !== undefined) push(this.#holders, each.file, each);
    for (const lock of locks) for (const file of lockedFiles(lock, files)) push(this.#locks, file, lock);
  }

  /** Undefined for one that is not open, or not any more. */
  named({ pid, fd }: DescriptorName): HeldDescriptor | undefined {
    const found = this.#tables.get(pid)?.find((each) => each.fd === fd);
    return found === undefined || this.#closed.has(found) ? undefined : found;
  }

  /** Descriptors that still name a file. */
  holders(file: OpenFile): HeldDescriptor[] {
    return this.#holders.get(file)?.filter((each) => !this.#letGo.has(each)) ?? [];
  }

  /** Whether a descriptor still names the file. */
  isHeld(file: OpenFile): boolean {
    return (this.#holders.get(file)?.length ?? 0) > (this.#losses.get(file) ?? 0);
  }

  /** Whether a descriptor is neither closed nor redirected. */
  isUnchanged(descriptor: HeldDescriptor): boolean {
    return !this.#letGo.has(descriptor);
  }

  close(descriptor: HeldDescriptor): void {
    this.#closed.add(descriptor);
    this.letGo(descriptor);
  }

  /** It names another file from now on, or none. */
  letGo(descriptor: HeldDescriptor): void {
    const { table, fd, file } = descriptor;
    this.#ended.set(table, (this.#ended.get(table) ?? new Set()).add(fd));
    if (this.#letGo.has(descriptor)) return;
    this.#letGo.add(descriptor);
    if (file !== undefined) this.#losses.set(file, (this.#losses.get(file) ?? 0) + 1);
  }

  /** Whether a number of a table no longer names what it named. */
  hasEnded(table: number, fd: number): boolean {
    return this.#ended.get(table)?.has(fd) === true;
  }

  /** Locks and leases that stand with descriptors of a file. */
  locks(file: OpenFile): readonly Lock[] {
    return this.#locks.get(file) ?? [];
  }
}

function readTable({ id: table, descriptors }: DescriptorTable) {
  const pids: number[] = [];
  const held = descriptors.map(({ fd, type, fileId, file, origin }): HeldDescriptor => {
    return { table, pids, fd, type, fileId, file, origin };
  });
  return { pids, held };
}

/** A unix socket, by where it stands. */
export type PairedSocket = Pick<Socket, "inode" | "type"> & { readonly origin: Origin };

/** What else needs open files, as it was before the first of them was let go. */
export class FileUses {
  /** Those that watch others, epoll(7). */
  readonly epolls: readonly OpenFile[];
  readonly #gone = new Set<OpenFile>();
  readonly #ofTasks: ReadonlySet<string>;
  readonly #inFlight = new Map<number, number>();
  /** How many open files that are still there a node has. */
  readonly #nodes = new Map<OpenFile, number>();
  readonly #pipes = new Map<number, PipeEnds>();
  readonly #sockets = new Map<number, OpenFile>();
  readonly #paired = new Map<number, PairedSocket[]>();

  /** `checkpoint` is read once and not kept; `sockets` are all, also those that no open file has. */
  constructor({ files }: HeldFiles, checkpoint: Checkpoint, sockets: Iterable<Socket>) {
    this.#ofTasks = usedByTasks(checkpoint);
    this.epolls = files.all.filter(({ type }) => type === "EVENTPOLL");
    for (const file of files.all) {
      const { node, pipeId } = file;
      if (node !== undefined && node !== file) this.#countNode(node, 1);
      if (pipeId !== undefined) this.#addEnd(pipeId, file);
      if (file.type === "UNIXSK") this.#sockets.set(file.socket?.inode ?? 0, file);
    }
    for (const socket of sockets) {
      const { inode, type, unix, peerInode } = socket;
      if (unix !== undefined && peerInode)
        push(this.#paired, peerInode, { inode, type, origin: unix.origin });
      for (const id of inFlight(socket)) this.#inFlight.set(id, (this.#inFlight.get(id) ?? 0) + 1);
    }
  }

  /** Whether a task, a mapping, a message on its way or another open file needs it. */
  isUsed(file: OpenFile): boolean {
    return (
      this.#ofTasks.has(keyOf(file)) ||
      (this.#inFlight.get(file.id) ?? 0) > 0 ||
      (this.#nodes.get(file) ?? 0) > 0
    );
  }

  /** The file is there no more. */
  release(file: OpenFile): void {
    if (this.#gone.has(file)) return;
    this.#gone.add(file);
    const { node, pipeId } = file;
    if (node !== undefined && node !== file) this.#countNode(node, -1);
    const ends = pipeId === undefined ? undefined : this.#pipes.get(pipeId);
    if (ends !== undefined) ends[isWriter(file) ? "writers" : "readers"]--;
  }

  isGone(file: OpenFile): boolean {
    return this.#gone.has(file);
  }

  /** A message with these files is there no more. */
  receive(ids: readonly number[]): void {
    for (const id of ids) this.#inFlight.set(id, (this.#inFlight.get(id) ?? 0) - 1);
  }

  /** The ends of the other kind that a pipe or fifo has left, when this was the last one of its kind; else none. */
  leftAlone(gone: OpenFile): readonly OpenFile[] {
    const ends = gone.pipeId === undefined ? undefined : this.#pipes.get(gone.pipeId);
    if (ends === undefined || ends[isWriter(gone) ? "writers" : "readers"] > 0) return [];
    return ends.all.filter((each) => !this.#gone.has(each));
  }

  /** Unix sockets whose other end has this inode, once: a damaged image has many of one inode. */
  takePaired(inode: number): readonly PairedSocket[] {
    const paired = this.#paired.get(inode) ?? [];
    this.#paired.delete(inode);
    return paired;
  }

  /** The open file of a unix socket. */
  fileOf({ inode }: PairedSocket): OpenFile | undefined {
    return this.#sockets.get(inode);
  }

  #countNode(node: OpenFile, change: number): void {
    this.#nodes.set(node, (this.#nodes.get(node) ?? 0) + change);
  }

  #addEnd(pipeId: number, file: OpenFile): void {
    const ends = this.#pipes.get(pipeId) ?? { all: [], readers: 0, writers: 0 };
    this.#pipes.set(pipeId, ends);
    ends.all.push(file);
    ends[isWriter(file) ? "writers" : "readers"]++;
  }
}

/** The ends of a pipe or fifo, and how many of each kind are still there. */
interface PipeEnds {
  readonly all: OpenFile[];
  readers: number;
  writers: number;
}

/** Of an end of a pipe. */
export function isWriter({ flags = 0 }: OpenFile): boolean {
  return (flags & O_ACCMODE) === O_WRONLY;
}

/** Descriptors in the messages that wait in a socket, unix(7) SCM_RIGHTS. */
export function inFlight(socket: Socket): number[] {
  return [...socket.received()].flatMap(({ files }) => files);
}

/** A mapping, a program and a directory of a task keep a file without a descriptor. */
function usedByTasks({ tasks }: Checkpoint): ReadonlySet<string> {
  const used = new Set<string>();
  for (const { exe, cwd, root, mappings } of tasks) {
    for (const file of [exe, cwd, root]) if (file !== undefined) used.add(keyOf(file));
    for (const { file } of mappings) if (file !== undefined) used.add(keyOf(file));
  }
  return used;
}

/** Ids of sets before criu 3.4 are unique within a type alone. */
function keyOf({ type, id }: OpenFile): string {
  return `${type}:${id}`;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
