import type { ObjectType } from "../../../formats/linux-cr/revisions.js";
import { StreamWriter } from "../../../formats/linux-cr/stream-writer.js";
import type { ByteSource } from "../../../io/source.js";
import type { Substitutes } from "../deleted-files/substitutes.js";
import { Watches } from "../files/inotify.js";
import type { OpenFileStates } from "../files/open-files.js";
import type { HostLeases } from "../locks/host-leases.js";
import type { SocketTable } from "../sockets/capture.js";
import type { ProcessState } from "../tasks/capture.js";
import { Terminals } from "../terminals/capture.js";

/** What all parts of a checkpoint share while its stream is put together. */
export class CheckpointContext {
  readonly writer = new StreamWriter();
  /** Records that stand at the end of the table of descriptors that is being written. */
  deferred: (() => void)[] = [];
  /** CRED of the task that is being written: a file is taken to be opened with it. */
  cred = 0;
  /** FILE_TABLE that is being written. */
  tableRef = 0;
  /** Numbers of the last SECCOMP_FILTER of each thread, by tid; threads without filters are not in it. */
  filters: ReadonlyMap<number, number> = new Map();
  readonly terminals: Terminals;
  readonly watches: Watches;
  readonly #refs = new Map<string, number>();
  readonly #tags = new Map<number, number>();
  readonly #sources: ByteSource[] = [];

  constructor(
    readonly processes: ReadonlyMap<number, ProcessState>,
    readonly files: OpenFileStates,
    readonly substitutes: Substitutes,
    readonly leases: HostLeases,
    readonly sockets: SocketTable,
  ) {
    this.terminals = new Terminals([...processes.values()], files);
    this.watches = new Watches(processes.values(), files);
  }

  /** The number of a shared object; at its first use OBJREF is written and `write` writes its records. */
  ref(type: ObjectType, key: string | number, write: (objref: number) => void): number {
    const known = this.#refs.get(`${type} ${key}`);
    if (known !== undefined) return known;
    const objref = this.writer.objref(type);
    this.#refs.set(`${type} ${key}`, objref);
    write(objref);
    return objref;
  }

  /** The number of an object without records: INODE, SIGNAL, the reserve of a pty. */
  hidden(type: ObjectType, key: string | number): { readonly objref: number; readonly isNew: boolean } {
    const known = this.#refs.get(`${type} ${key}`);
    if (known !== undefined) return { objref: known, isNew: false };
    const objref = this.writer.number();
    this.#refs.set(`${type} ${key}`, objref);
    return { objref, isNew: true };
  }

  isKnown(type: ObjectType, key: string | number): boolean {
    return this.#refs.has(`${type} ${key}`);
  }

  setTags(first: number, pids: readonly number[]): void {
    for (const [i, pid] of pids.entries()) this.#tags.set(pid, first + i);
  }

  /** The tag of a process, thread, group or session id; 0 for one outside the tree. */
  tag(pid: number): number {
    return this.#tags.get(pid) ?? 0;
  }

  /** Keeps a source open until the stream has been written. */
  use<T extends ByteSource>(source: T): T {
    this.#sources.push(source);
    return source;
  }

  close(): void {
    for (const source of this.#sources) source.close();
  }
}
