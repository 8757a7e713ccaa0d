import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { MemfdInodeEntry } from "../../../formats/criu/tables/memfd.js";
import type { Checkpoint } from "../../../model/checkpoint.js";
import { criuCheckpoint } from "../../../model/criu/checkpoint.js";
import { memfdInode } from "../../../model/criu/referred-records.js";
import { CriuTerminal } from "../../../model/criu/terminals.js";
import { lazy } from "../../../model/lazy.js";
import type { Lock } from "../../../model/lock.js";
import type { FileTable, OpenFile, PipeBuffer } from "../../../model/open-file.js";
import type { Terminal } from "../../../model/special-file.js";

/** What stood in a pipe or fifo. */
type PipeData = Pick<PipeBuffer, "data" | "capacity">;

/** Looks up by their ids what a set keeps beside its open files. Nothing is read before it is asked for. */
export class SourceFiles {
  readonly checkpoint: Checkpoint;
  /** Ids of open files that were told as lost. */
  readonly lost = new Set<OpenFile>();
  /** What was asked for, so that the end of the conversion can tell what nothing asked for. */
  readonly used = { locks: new Set<Lock>(), queues: new Set<number>(), nodes: new Set<number>() };
  readonly #locks = lazy(() => this.#locksByDescriptor());
  readonly #terminals = lazy(
    () =>
      new Map(
        this.set.map(IMAGES.TTY_INFO, undefined, ({ value }) => [
          value.id,
          new CriuTerminal(value, this.set),
        ]),
      ),
  );
  readonly #masters = lazy(() => {
    const masters = new Map<number | undefined, Terminal>();
    for (const terminal of this.terminals.values())
      if (terminal.isMaster && !masters.has(terminal.index)) masters.set(terminal.index, terminal);
    return masters;
  });
  readonly #terminalsBySession = lazy(() => {
    const terminals = new Map<number, Terminal[]>();
    for (const terminal of this.terminals.values()) push(terminals, terminal.session, terminal);
    return terminals;
  });
  readonly #pipes = lazy(() => this.#pipesByKey());

  constructor(readonly set: CriuImageSet) {
    this.checkpoint = criuCheckpoint(set);
  }

  get all(): FileTable {
    return this.checkpoint.files;
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
    return this.#pipes().get(`${kind} ${pipeId}`);
  }

  /** By their ids. */
  get terminals(): ReadonlyMap<number, Terminal> {
    return this.#terminals();
  }

  /** The first master of the pseudo terminal of an index. */
  master(index: number): Terminal | undefined {
    return this.#masters().get(index);
  }

  /** The ends of terminals that a session is on. */
  terminalsOf(sid: number): readonly Terminal[] {
    return this.#terminalsBySession().get(sid) ?? [];
  }

  /** The memory that a memfd opens. */
  memory(inodeId: number): MemfdInodeEntry | undefined {
    return memfdInode(this.set, inodeId);
  }

  #locksByDescriptor(): Map<string, Lock[]> {
    const locks = new Map<string, Lock[]>();
    for (const lock of this.checkpoint.locks) {
      const table = this.checkpoint.task(lock.pid)?.descriptors?.id;
      push(locks, `${table}:${lock.fd}`, lock);
    }
    return locks;
  }

  #pipesByKey(): Map<string, PipeData> {
    const pipes = new Map<string, PipeData>();
    for (const { kind, pipeId, data, capacity } of this.checkpoint.pipes) {
      const before = pipes.get(`${kind} ${pipeId}`);
      pipes.set(`${kind} ${pipeId}`, {
        data: before === undefined ? data : [...before.data, ...data],
        capacity: capacity ?? before?.capacity,
      });
    }
    return pipes;
  }
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
