import { EditError } from "../../io/errors.js";
import type { Checkpoint, Descriptor, Origin } from "../../model/checkpoint.js";
import { type Lock, lockName } from "../../model/lock.js";
import { equalValues } from "../../schema/equal.js";
import type { DescriptorName } from "./descriptors.js";
import { Ledger } from "./ledger.js";
import type { Edit } from "./plan.js";

/**
 * An image of either family while edits are planned, seen as objects of the model. An object is changed by its encoding:
 * the fields that differ before and after are set where it stands, and nothing else.
 */
export abstract class Editor extends Ledger {
  #model: { readonly changes: number; readonly checkpoint: Checkpoint } | undefined;

  /** The model over the image as edits have left it; objects that were taken away are still in it. */
  get checkpoint(): Checkpoint {
    const changes = this.changes.length;
    if (this.#model?.changes !== changes) this.#model = { changes, checkpoint: this.makeModel() };
    return this.#model.checkpoint;
  }

  protected abstract makeModel(): Checkpoint;

  /** Whether the image holds the time that a lease which is being broken has left. */
  abstract readonly holdsBreakTimes: boolean;

  /** Name of the file and place of the record, for changes and errors. */
  abstract imageOf(origin: Origin): string;

  protected abstract isThere(origin: Origin): boolean;
  protected abstract encodeLock(lock: Lock): Readonly<Record<string, unknown>> | undefined;
  protected abstract changeField(edit: Edit, origin: Origin, field: string, value: unknown): void;
  protected abstract dropLockRecord(edit: Edit, origin: Origin): void;

  descriptor({ pid, fd }: DescriptorName): Descriptor | undefined {
    return this.checkpoint.task(pid)?.descriptors?.descriptors.find((each) => each.fd === fd);
  }

  /** Locks and leases that are still there. */
  locks(): Lock[] {
    return this.checkpoint.locks.filter(({ origin }) => this.isThere(origin));
  }

  locksOf(name: DescriptorName): Lock[] {
    return this.locks().filter((lock) => this.isHeldBy(lock, name));
  }

  /** Whether a descriptor holds a lock: a POSIX lock is its table's and its file's, the others its open file's. */
  isHeldBy(lock: Lock, name: DescriptorName): boolean {
    const found = this.descriptor(name);
    if (found?.file === undefined || lock.file === undefined)
      return lock.pid === name.pid && lock.fd === name.fd;
    if (found.file !== lock.file) return false;
    return lock.kind !== "posix" || this.#tableOf(name.pid) === this.#tableOf(lock.pid);
  }

  /** Errors: EDIT for what the format has no number for. */
  changeLock(edit: Edit, lock: Lock, to: Partial<Lock>): void {
    const changed = { ...lock, ...to };
    const [before, after] = [this.encodeLock(lock), this.encodeLock(changed)];
    if (before === undefined || after === undefined)
      throw new EditError(`this image cannot hold a ${lockName(changed)} of type ${changed.type}`, {
        file: this.imageOf(lock.origin),
      });
    this.matched(edit);
    for (const origin of [lock.origin, ...lock.repeats])
      for (const [field, value] of Object.entries(after))
        if (!equalValues(before[field], value)) this.changeField(edit, origin, field, value);
  }

  dropLock(edit: Edit, lock: Lock): void {
    this.matched(edit);
    for (const origin of [lock.origin, ...lock.repeats])
      if (this.isThere(origin)) this.dropLockRecord(edit, origin);
  }

  #tableOf(pid: number): number | undefined {
    return this.checkpoint.task(pid)?.descriptors?.id;
  }
}
