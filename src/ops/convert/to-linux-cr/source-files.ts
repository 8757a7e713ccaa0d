import type { CriuImage } from "../../../formats/criu/image.js";
import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { MemfdInodeEntry } from "../../../formats/criu/tables/memfd.js";
import type { RemapFilePathEntry } from "../../../formats/criu/tables/remap-file-path.js";
import type { TtyInfoEntry } from "../../../formats/criu/tables/tty.js";
import type { SourceRange } from "../../../io/concat.js";
import type { Checkpoint } from "../../../model/checkpoint.js";
import { criuCheckpoint } from "../../../model/criu/checkpoint.js";
import { lazy } from "../../../model/lazy.js";
import type { Lock } from "../../../model/lock.js";
import type { FileTable, OpenFile } from "../../../model/open-file.js";

/** Major device number of /dev/ptmx. */
const PTMX_MAJOR = 5;

/** What stood in a pipe or fifo. */
export interface PipeData {
  readonly data: readonly SourceRange[];
  readonly capacity: number | undefined;
}

/** Looks up by their ids what a set keeps beside its open files. Nothing is read before it is asked for. */
export class SourceFiles {
  readonly checkpoint: Checkpoint;
  /** Ids of open files that were told as lost. */
  readonly lost = new Set<OpenFile>();
  /** What was asked for, so that the end of the conversion can tell what nothing asked for. */
  readonly used = { locks: new Set<Lock>(), queues: new Set<number>(), nodes: new Set<number>() };
  readonly #remaps = lazy(
    () => new Map(this.set.records(IMAGES.REMAP_FPATH).map(({ value }) => [value.orig_id, value])),
  );
  readonly #locks = lazy(() => this.#locksByDescriptor());
  readonly #terminals = lazy(
    () => new Map(this.set.records(IMAGES.TTY_INFO).map(({ value }) => [value.id, value])),
  );
  readonly #masters = lazy(() => {
    const masters = new Map<number | undefined, TtyInfoEntry>();
    for (const info of this.terminals) {
      const index = info.pty?.index;
      if (isMasterEnd(info) && !masters.has(index)) masters.set(index, info);
    }
    return masters;
  });
  readonly #terminalsBySession = lazy(() => {
    const terminals = new Map<number, TtyInfoEntry[]>();
    for (const info of this.terminals) push(terminals, info.sid, info);
    return terminals;
  });
  readonly #input = lazy(
    () => new Map(this.set.records(IMAGES.TTY_DATA).map(({ value }) => [value.tty_id, value.data])),
  );
  readonly #memories = lazy(
    () => new Map(this.set.records(IMAGES.MEMFD_INODE).map(({ value }) => [Number(value.inode_id), value])),
  );
  readonly #pipes = { pipe: lazy(() => this.#pipeData("pipe")), fifo: lazy(() => this.#pipeData("fifo")) };

  constructor(readonly set: CriuImageSet) {
    this.checkpoint = criuCheckpoint(set);
  }

  get all(): FileTable {
    return this.checkpoint.files;
  }

  /** How a path comes back that was gone, by the id of the REG entry with the path. */
  remap(fileId: number): RemapFilePathEntry | undefined {
    return this.#remaps().get(fileId);
  }

  get hasLocks(): boolean {
    return this.checkpoint.locks.length > 0;
  }

  /** The locks that are stored for a descriptor of a table. */
  locks(filesId: number, fd: number): readonly Lock[] {
    const found = this.#locks().get(`${filesId}:${fd}`) ?? [];
    for (const lock of found) this.used.locks.add(lock);
    return found;
  }

  pipe(kind: "pipe" | "fifo", pipeId: number): PipeData | undefined {
    return this.#pipes[kind]().get(pipeId);
  }

  terminal(id: number): TtyInfoEntry | undefined {
    return this.#terminals().get(id);
  }

  get terminals(): Iterable<TtyInfoEntry> {
    return this.#terminals().values();
  }

  /** The first master of the pseudo terminal of an index. */
  master(index: number): TtyInfoEntry | undefined {
    return this.#masters().get(index);
  }

  /** The ends of terminals that a session is on. */
  terminalsOf(sid: number): readonly TtyInfoEntry[] {
    return this.#terminalsBySession().get(sid) ?? [];
  }

  /** Unread input of a terminal. */
  terminalInput(id: number): Buffer {
    return this.#input().get(id) ?? Buffer.alloc(0);
  }

  /** The memory that a memfd opens. */
  memory(inodeId: number): MemfdInodeEntry | undefined {
    return this.#memories().get(inodeId);
  }

  #locksByDescriptor(): Map<string, Lock[]> {
    const locks = new Map<string, Lock[]>();
    for (const lock of this.checkpoint.locks) {
      const table = this.checkpoint.task(lock.pid)?.descriptors?.id;
      push(locks, `${table}:${lock.fd}`, lock);
    }
    return locks;
  }

  #pipeData(kind: "pipe" | "fifo"): Map<number, PipeData> {
    const image = this.set.image(kind === "pipe" ? IMAGES.PIPES_DATA : IMAGES.FIFO_DATA);
    const pipes = new Map<number, PipeData & { readonly data: SourceRange[] }>();
    for (const { value, payload } of image?.records() ?? []) {
      const before = pipes.get(value.pipe_id);
      const data = before?.data ?? [];
      data.push(rangeOf(image as CriuImage, payload[0]));
      pipes.set(value.pipe_id, { data, capacity: value.size ?? before?.capacity });
    }
    return pipes;
  }
}

/** Whether an end of a pseudo terminal is its master. */
export function isMasterEnd({ rdev }: TtyInfoEntry): boolean {
  return rdev >>> 8 === PTMX_MAJOR;
}

/** Bytes behind a record as a range of its image. */
export function rangeOf(
  image: CriuImage,
  payload: { readonly offset: number; readonly size: number } | undefined,
): SourceRange {
  return { source: image.source, offset: payload?.offset ?? 0, size: payload?.size ?? 0 };
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
