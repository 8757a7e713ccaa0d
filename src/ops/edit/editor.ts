import type { FactKind } from "../../formats/archive/facts.js";
import { EditError, type ErrorPlace } from "../../io/errors.js";
import type { Splice } from "../../io/splice.js";
import { textToBytes } from "../../io/text.js";
import { PATH_MAX } from "../../linux/files.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import type { Lock } from "../../model/lock.js";
import type { StoredMemory } from "../../model/memory.js";
import {
  type Descriptor,
  type FileIdentity,
  type FileTable,
  namedFiles,
  type OpenFile,
} from "../../model/open-file.js";
import type { Origin } from "../../model/origin.js";
import type { Socket } from "../../model/socket.js";
import type { EpollWatch } from "../../model/special-file.js";
import { equalValues } from "../../schema/equal.js";
import { type FieldPath, formatPath, parsePath } from "../../schema/patch.js";
import type { OwnedAddressRule } from "./address-rules.js";
import { ChangeLog } from "./change-log.js";
import {
  type DescriptorName,
  FileUses,
  type HeldDescriptor,
  HeldFiles,
  type PairedSocket,
} from "./held-files.js";
import type {
  ChangedFact,
  Encoders,
  Fact,
  GroupMember,
  Objects,
  PathField,
  PathUse,
  RootFile,
  TaskName,
} from "./objects.js";
import type { OwnedRule, PathRules } from "./path-rules.js";
import type { Edit } from "./plan.js";

type Fields = Readonly<Record<string, unknown>>;

/** Where an object stands; `repeats` are further records of the same one. */
interface Stored {
  readonly origin: Origin;
  readonly repeats?: readonly Origin[];
}

/** What a person reads instead of bytes. */
export interface Shown {
  readonly before: unknown;
  readonly after: unknown;
}

/** Texts whose other occurrences are left unchanged, and listed. */
export type Similar = "path" | "cgroup" | "host name";

/** A descriptor and the edit that sends it elsewhere. */
export interface Redirected {
  readonly edit: Edit;
  readonly descriptor: HeldDescriptor;
}

/** How a deleted file comes back: its bytes in the image, a hard link on disk, or a copy that is written now. */
export interface DeletedEdit {
  /** The name that the file had. */
  readonly path: string;
  readonly method: "contents" | "relink" | "copy";
  /** Where the substitute is, for relink and copy. */
  readonly to: string;
}

/**
 * An image of either family while edits are planned, seen as objects of the model. An object is changed by its encoding:
 * the fields that differ before and after are set where it stands, and nothing else.
 */
export abstract class Editor extends ChangeLog {
  #model: { readonly changes: number; readonly checkpoint: Checkpoint } | undefined;
  readonly #last: Readonly<Record<"next holder" | "order", Map<string, () => void>>> = {
    "next holder": new Map(),
    order: new Map(),
  };

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

  /** The bytes to change by file, those of a file in ascending order. */
  abstract splices(): Map<string, Splice[]>;
  /** Reads the image as it would be written. Errors: EDIT when it is no image any more, or another one than was planned. */
  abstract check(splices: ReadonlyMap<string, readonly Splice[]>): void;
  /** Pages that the image holds, and about how many bytes. */
  abstract storedMemory(): { readonly bytes: number; readonly all: Iterable<StoredMemory> };

  /** Name of the file and place of the record, for changes and errors. */
  abstract imageOf(origin: Origin): string;

  placeOf(origin: Origin): ErrorPlace {
    const field = origin.field === undefined ? "" : `.${origin.field}`;
    return { file: this.imageOf(origin), path: `[${origin.record}]${field}` };
  }

  /**
   * Changes bytes of a file of the image in place, such as those of pages; `shown` is on record instead of them. Errors: EDIT
   * for bytes that another edit has changed.
   */
  abstract patchFile(edit: Edit, file: string, offset: number, bytes: Buffer, shown?: Shown): void;
  /** Notes where the old text of an edit stands in what the edit does not change. */
  abstract leaveSimilar(edit: Edit, text: string, changed: Similar): void;

  protected abstract isThere(origin: Origin): boolean;
  protected abstract readonly encoders: Encoders;
  /** Sets a field inside the message that the origin names. */
  protected abstract changeField(
    edit: Edit,
    origin: Origin,
    path: FieldPath,
    value: unknown,
    shown: Shown,
  ): void;
  /** Takes a record, or the list element that the origin names, away, with what counts it. */
  protected abstract dropAt(edit: Edit, origin: Origin): void;

  /** Sets a field of a record by its name in the format. Errors: USAGE, EDIT. */
  abstract setField(edit: Edit, place: string, value: string): void;

  /** Sockets that are still there, also those that no descriptor leads to. */
  abstract sockets(): Iterable<Socket>;
  /** Changes addresses that stand outside of sockets, and notes what looks like them and stays. */
  abstract remapOtherAddresses(rules: readonly OwnedAddressRule[]): void;

  /** Every path outside of sockets and mounts. */
  abstract eachPath(visit: (path: PathField, use: PathUse) => void): void;
  /** Changes the paths of mounts other than where they are. */
  abstract remapMounts(rules: PathRules<OwnedRule>): void;
  /** The field with the path of an open file, or of a directory of a task. */
  abstract pathOf(file: OpenFile): PathField | undefined;

  /** What a task or thread is called. */
  abstract namesOf(tid: number): Iterable<TaskName>;
  abstract groupMembers(): Iterable<GroupMember>;
  /** Moves the control groups that the restore makes, beside those that tasks are in. */
  abstract moveGroups(rules: PathRules<OwnedRule>): void;

  /** Changes how deleted files come back. Errors: EDIT; UNSUPPORTED where the format cannot express it. */
  abstract changeDeleted(edit: Edit, to: DeletedEdit): void;

  /** Takes a descriptor out of its table. */
  abstract dropDescriptor(edit: Edit, descriptor: HeldDescriptor): void;
  /** Gives descriptors of one file a new one: a regular file that the restore opens by its path. */
  abstract openFor(members: readonly Redirected[], path: string, flags: number): void;
  /** Takes an open file away with what belongs to it alone: its socket with what it has received, its terminal … */
  abstract dropFile(edit: Edit, file: OpenFile): void;
  /** Whether the image needs an open file for more than descriptors, tasks, messages and other open files. */
  abstract isNeeded(file: OpenFile): boolean;
  /** Files of those descriptors that a lock stands with. */
  lockedFiles(lock: Lock, _files: FileTable): OpenFile[] {
    return lock.file === undefined ? [] : [lock.file];
  }
  /** Makes a lock one of the first of these descriptors, unless it stands with one of them already. */
  abstract moveLock(edit: Edit, lock: Lock, holders: readonly HeldDescriptor[]): void;
  /** Ends those waits of an epoll(7) instance that are meant. Gives whether there were some. */
  abstract dropWatches(edit: Edit, epoll: OpenFile, isMeant: (watch: EpollWatch) => boolean): boolean;
  /** A unix socket has no other end any more; one with a connection is shut down in both directions. */
  abstract hangUp(edit: Edit, socket: PairedSocket, isShutDown: boolean): void;

  /** Changes what files of a container engine beside the images say of the same thing; undefined leaves a value as it is. */
  abstract changeFacts(kind: FactKind, to: (fact: Fact) => ChangedFact | undefined): void;

  /** Puts a file into the changed files of a container's root file system, in place of one of that path. Errors: EDIT. */
  abstract addRootFile(edit: Edit, file: RootFile): void;
  /** Takes a file, or all below a directory, out of them. Errors: EDIT. */
  abstract dropRootFile(edit: Edit, path: string): void;

  /** Descriptors as they were before edits closed or redirected any. */
  get held(): HeldFiles {
    return this.once(
      "descriptors",
      () => new HeldFiles(this.checkpoint, (lock, files) => this.lockedFiles(lock, files)),
    );
  }

  /** What else needs open files; to be asked for before the first of them is let go. */
  get uses(): FileUses {
    const { held } = this;
    return this.once("uses of files", () => new FileUses(held, this.makeModel(), this.sockets()));
  }

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
    return this.checkpoint.locks.filter((lock) => this.isHeld(lock));
  }

  /** Whether a lock or lease is still there. */
  isHeld({ origin }: Lock): boolean {
    return this.isThere(origin);
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

  /** Puts another path into a field. Errors: EDIT when it is too long for Linux. */
  changePath(edit: Edit, path: PathField, text: string): void {
    // No character takes more than 3 bytes of UTF-8 a UTF-16 unit.
    const length = text.length * 3 < PATH_MAX ? 0 : textToBytes(text).length;
    if (length >= PATH_MAX)
      throw new EditError(
        `path too long: ${length} bytes (expected at most ${PATH_MAX - 1})`,
        this.placeOf({ ...path.origin, field: this.fieldOf(path) }),
      );
    this.changeObject(edit, "path", path, { text }, (each) => each.text);
  }

  /** Name of a path's field in its record. */
  fieldOf({ origin, field }: PathField): string {
    return formatPath([...parsePath(origin.field ?? ""), field]);
  }

  /** Notes a path that holds the text of a rule's OLD and is not matched by it; `text` is what it stands for. */
  leaveMentioned(rules: PathRules<OwnedRule>, path: PathField, why: string, text = path.text): void {
    const rule = rules.mentionedIn(text);
    if (rule === undefined) return;
    const { origin } = path;
    const at = { image: this.imageOf(origin), record: origin.record, field: this.fieldOf(path) };
    this.leave(rule.edit, { ...at, value: text, why });
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

  /** What waits until all edits are planned, once for each key: who holds a thing next, and then in which order all stands. */
  atEnd(phase: "next holder" | "order", key: string, step: () => void): void {
    if (!this.#last[phase].has(key)) this.#last[phase].set(key, step);
  }

  /** After the last edit. */
  finish(): void {
    for (const steps of [this.#last["next holder"], this.#last.order])
      for (const step of steps.values()) step();
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
