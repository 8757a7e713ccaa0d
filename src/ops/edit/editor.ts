import { EditError } from "../../io/errors.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import type { UtsNamespace } from "../../model/ipc.js";
import type { Lock } from "../../model/lock.js";
import type { Descriptor } from "../../model/open-file.js";
import { type FileIdentity, namedFiles, type OpenFile } from "../../model/open-file.js";
import type { Origin } from "../../model/origin.js";
import type { InetEnds, Socket, UnixName } from "../../model/socket.js";
import type { Timer } from "../../model/timer.js";
import { equalValues } from "../../schema/equal.js";
import { type FieldPath, formatPath, parsePath } from "../../schema/patch.js";
import type { DescriptorName } from "./descriptors.js";
import type { Parsed } from "./kind.js";
import type { AddressRule } from "./kinds/remap-address.js";
import { Ledger } from "./ledger.js";
import type { Edit } from "./plan.js";

type Fields = Readonly<Record<string, unknown>>;

/** The objects of the model that edits change, by their kinds. A kind of object is added here and to both encoders. */
export interface Objects {
  readonly lock: Lock;
  readonly ends: InetEnds;
  readonly unix: UnixName;
  readonly identity: FileIdentity;
  readonly uts: UtsNamespace;
  readonly timer: Timer;
}

/**
 * How a family stores an object: the fields of its record, or of the message inside it that the origin names. Undefined
 * for what it has no number for.
 */
export type Encoders = { readonly [K in keyof Objects]: (object: Objects[K]) => Fields | undefined };

/** Where an object stands; `repeats` are further records of the same one. */
interface Stored {
  readonly origin: Origin;
  readonly repeats?: readonly Origin[];
}

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

  /** Whether the image holds the time left of leases that are being broken and of interrupted calls. */
  abstract readonly holdsAllTimes: boolean;

  /** What messages call the image. */
  abstract readonly name: string;

  /** Name of the file and place of the record, for changes and errors. */
  abstract imageOf(origin: Origin): string;

  /** Changes bytes of a file of the image in place, such as those of pages. */
  abstract patchFile(edit: Edit, file: string, offset: number, bytes: Buffer): void;
  /** Notes where the old text of an edit stands in what the edit does not change. */
  abstract leaveSimilar(edit: Edit, text: string, changed: "host name"): void;

  protected abstract isThere(origin: Origin): boolean;
  protected abstract readonly encoders: Encoders;
  /** Sets a field inside the message that the origin names. `shown` is what a person reads instead of bytes. */
  protected abstract changeField(
    edit: Edit,
    origin: Origin,
    path: FieldPath,
    value: unknown,
    shown: { readonly before: unknown; readonly after: unknown },
  ): void;
  /** Takes a record, or the list element that the origin names, away, with what counts it. */
  protected abstract dropAt(edit: Edit, origin: Origin): void;

  /** Sockets that are still there, also those that no descriptor leads to. */
  abstract sockets(): Iterable<Socket>;

  /** Changes addresses that stand outside of sockets, and notes what looks like them and stays. */
  abstract remapOtherAddresses(edits: readonly Parsed<AddressRule>[]): void;

  descriptor({ pid, fd }: DescriptorName): Descriptor | undefined {
    return this.checkpoint.task(pid)?.descriptors?.descriptors.find((each) => each.fd === fd);
  }

  /** Open files with a path that are still there. */
  namedFiles(): OpenFile[] {
    return namedFiles(this.checkpoint.files).filter(({ origin }) => this.isThere(origin));
  }

  /** Whether some mapping shows a file. */
  isMapped(file: OpenFile): boolean {
    return this.checkpoint.tasks.some(({ mappings }) =>
      mappings.some((each) => each.file?.id === file.id && each.file.type === file.type),
    );
  }

  /** What a restore compares of a file; undefined when it compares nothing. */
  identityOf({ identity }: OpenFile): FileIdentity | undefined {
    return identity !== undefined && this.isThere(identity.origin) ? identity : undefined;
  }

  /** A restore opens the file whatever it has become. */
  abstract dropIdentity(edit: Edit, identity: FileIdentity): void;

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

  /**
   * Changes an object: the fields in which its encoding differs are set where it stands. Errors: EDIT for what the format
   * has no number for, which `name` says.
   */
  changeObject<K extends keyof Objects>(
    edit: Edit,
    kind: K,
    object: Objects[K] & Stored,
    to: Partial<Objects[K]>,
    name: (object: Objects[K]) => string,
  ): void {
    const changed = { ...object, ...to };
    const encode = this.encoders[kind];
    const [before, after] = [encode(object), encode(changed)];
    if (before === undefined || after === undefined)
      throw new EditError(`this image cannot hold ${name(changed)}`, { file: this.imageOf(object.origin) });
    this.matched(edit);
    const shown = { before: name(object), after: name(changed) };
    for (const origin of [object.origin, ...(object.repeats ?? [])])
      for (const [path, value] of differences(before, after))
        this.changeField(edit, origin, path, value, shown);
  }

  /** Notes an object that an edit is not meant for, by the field that stands first in its encoding. */
  leaveObject<K extends keyof Objects>(
    edit: Edit,
    kind: K,
    object: Objects[K] & Stored,
    value: unknown,
    why: string,
  ): void {
    const { record, field = "" } = object.origin;
    const [first = ""] = Object.keys(this.encoders[kind](object) ?? {});
    const path = formatPath([...parsePath(field), first]);
    this.leave(edit, { image: this.imageOf(object.origin), record, field: path, value, why });
  }

  /** Takes an object away, wherever it stands. */
  dropObject(edit: Edit, { origin, repeats = [] }: Stored): void {
    this.matched(edit);
    for (const each of [origin, ...repeats]) if (this.isThere(each)) this.dropAt(edit, each);
  }

  #tableOf(pid: number): number | undefined {
    return this.checkpoint.task(pid)?.descriptors?.id;
  }
}

/** The innermost fields that differ, with their values after; lists are whole values. */
function* differences(before: Fields, after: Fields, path: FieldPath = []): Generator<[FieldPath, unknown]> {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, value] = [before[name], after[name]];
    if (equalValues(old, value)) continue;
    if (isMessage(old) && isMessage(value)) yield* differences(old, value, [...path, name]);
    else yield [[...path, name], value];
  }
}

function isMessage(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
