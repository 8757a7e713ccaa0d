import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import type { ObjectType } from "../../../formats/linux-cr/revisions.js";
import { StreamWriter } from "../../../formats/linux-cr/stream-writer.js";
import type { Losses } from "../../../model/loss.js";
import { MappedObjects } from "./mapped-objects.js";
import { SourceFiles } from "./source-files.js";

/** Writes records that stand at the end of a file table; may bring in objects that defer more. */
export type Deferred = () => void;

/** What all parts of the conversion of one CRIU set share. */
export class Context {
  readonly writer = new StreamWriter();
  /** Records that stand at the end of the file table that is being written. */
  deferred: Deferred[] = [];
  /** CRED of the task that is being written: criu does not store those that a file was opened with. */
  cred = 0;
  /** Words of the auxiliary vectors in the stream, which are all as long as the longest. */
  auxvEntries = 0;
  /** Files of the descriptor table that is being written, by descriptor. */
  descriptors: Map<number, number> = new Map();
  /** Open files, and what the set keeps beside them. */
  readonly files: SourceFiles;
  /** What mappings show. */
  readonly mapped: MappedObjects;
  readonly #refs = new Map<ObjectType, Map<string | number, number>>();
  readonly #met = new Set<string>();
  readonly #tags = new Map<number, number>();

  constructor(
    readonly set: CriuImageSet,
    readonly losses: Losses,
    /** Seconds that leases which are being broken have left; no set says it. */
    readonly leaseSeconds?: number,
  ) {
    this.files = new SourceFiles(set);
    this.mapped = new MappedObjects(set, this.files);
  }

  /**
   * The number of a shared object; at its first use OBJREF is written, then `write` writes the records, objects inside
   * first. `key` tells objects of one type apart: the id that criu gives them.
   */
  ref(type: ObjectType, key: string | number, write: (objref: number) => void): number {
    const known = this.known(type, key);
    if (known !== undefined) return known;
    const objref = this.writer.objref(type);
    this.#setRef(type, key, objref);
    write(objref);
    return objref;
  }

  /** The number of an object that has a number and no records (INODE, SIGNAL, MNT_NS …). `isNew` at the first use. */
  hidden(type: ObjectType, key: string | number): { readonly objref: number; readonly isNew: boolean } {
    const known = this.known(type, key);
    if (known !== undefined) return { objref: known, isNew: false };
    const objref = this.writer.number();
    this.#setRef(type, key, objref);
    return { objref, isNew: true };
  }

  /** True for the first time that this key is asked for. */
  isFirst(key: string): boolean {
    if (this.#met.has(key)) return false;
    this.#met.add(key);
    return true;
  }

  /** The number of an object that was written, or is being written. */
  known(type: ObjectType, key: string | number): number | undefined {
    return this.#refs.get(type)?.get(key);
  }

  #setRef(type: ObjectType, key: string | number, objref: number): void {
    const refs = this.#refs.get(type);
    if (refs === undefined) this.#refs.set(type, new Map([[key, objref]]));
    else refs.set(key, objref);
  }

  /** Gives process ids their tags; those of PIDS, before any object. */
  setTags(first: number, pids: readonly number[]): void {
    for (const [i, pid] of pids.entries()) this.#tags.set(pid, first + i);
  }

  /** The tag of a process, thread, group or session id; undefined for one that the image does not know. */
  tag(pid: number): number | undefined {
    return this.#tags.get(pid);
  }
}
