import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import { UnsupportedError } from "../../../io/errors.js";
import type { Splice } from "../../../io/splice.js";
import { textToBytes } from "../../../io/text.js";
import { SHUTDOWN_MASK } from "../../../linux/sockets.js";
import type { Checkpoint } from "../../../model/checkpoint.js";
import { linuxCrCheckpoint } from "../../../model/linux-cr/checkpoint.js";
import { encodeIdentity } from "../../../model/linux-cr/file-identity.js";
import { encodeUtsNamespace } from "../../../model/linux-cr/ipc.js";
import { encodeLock } from "../../../model/linux-cr/locks.js";
import { taskIds } from "../../../model/linux-cr/pids.js";
import { decodeSocket, encodeEnds, encodeNames } from "../../../model/linux-cr/sockets.js";
import { encodeTimer } from "../../../model/linux-cr/timers.js";
import type { Lock } from "../../../model/lock.js";
import type { StoredMemory } from "../../../model/memory.js";
import type { FileIdentity, FileTable, OpenFile } from "../../../model/open-file.js";
import type { Origin } from "../../../model/origin.js";
import type { Socket } from "../../../model/socket.js";
import type { EpollWatch } from "../../../model/special-file.js";
import { formatAddress } from "../../../schema/ip-address.js";
import { type FieldPath, formatPath } from "../../../schema/patch.js";
import type { OwnedAddressRule } from "../address-rules.js";
import type { DeletedEdit, Redirected, Shown, Similar } from "../editor.js";
import type { HeldDescriptor, PairedSocket } from "../held-files.js";
import type { Encoders, GroupMember, PathField, PathUse, TaskName } from "../objects.js";
import type { Edit } from "../plan.js";
import { checkStream } from "./check.js";
import { changeDeleted, SYMLINK_TARGET, setTarget, substitutes, targets } from "./deleted-files.js";
import { setField } from "./fields.js";
import { dropDescriptor, dropOpenFile, lockHolders, moveLock, openFor } from "./open-files.js";
import { leaveSimilar, type Wants } from "./similar.js";
import { StreamRecords } from "./stream-records.js";

/** The fields that edits change, by what others may be similar to. */
const CHANGED: Readonly<Record<Similar, Wants>> = {
  path: (kind, field) => kind?.payload === "path" || (kind === RECORDS.SOCKET_UNIX && field.endsWith("addr")),
  cgroup: (kind) => kind === RECORDS.CGROUP_SET,
  "host name": (kind, field) => kind === RECORDS.UTS_NS && field === "nodename",
};

const NO_ROOT = "a stream comes without files of a root file system; put them into place on the host";

/** A linux-cr stream while edits are planned. */
export class StreamEditor extends StreamRecords {
  readonly holdsAllTimes = true;
  protected readonly encoders: Encoders = {
    identity: encodeIdentity,
    lock: (lock) => encodeLock(lock, { table: lock.owner ?? 0, file: lock.file?.id ?? 0 }),
    ends: (ends) => encodeEnds(ends, ends.local.address.length === 4, this.image.byteOrder === "big-endian"),
    unix: (unix) => ({ ...encodeNames(unix), directory: unix.directory }),
    uts: encodeUtsNamespace,
    timer: encodeTimer,
    path: ({ field, text }) => ({ [field]: text }),
    comm: ({ comm, origin }) => ({ text: this.#padded(comm, origin) }),
    group: ({ path, line, origin }) => ({ text: this.#withGroup(path, line ?? 0, origin) }),
  };

  protected makeModel(): Checkpoint {
    const reader = this.editedReader();
    return linuxCrCheckpoint(reader.image, reader);
  }

  /** No engine keeps files beside a stream. */
  changeFacts(): void {}

  addRootFile(): void {
    throw new UnsupportedError(NO_ROOT, { file: this.name });
  }

  dropRootFile(): void {
    throw new UnsupportedError(NO_ROOT, { file: this.name });
  }

  check(splices: ReadonlyMap<string, readonly Splice[]>): void {
    checkStream(this, splices.get(this.name) ?? []);
  }

  storedMemory(): { readonly bytes: number; readonly all: Iterable<StoredMemory> } {
    const { image } = this.reader;
    return { bytes: image.source.size, all: linuxCrCheckpoint(image, this.reader).storedMemory() };
  }

  *sockets(): Generator<Socket> {
    const reader = this.editedReader();
    for (const part of reader.objects("SOCK"))
      if (!this.isDropped(reader.get(part, RECORDS.SOCKET).index)) yield decodeSocket(reader, part);
  }

  protected isThere({ record }: Origin): boolean {
    return !this.isDropped(record);
  }

  protected changeField(
    edit: Edit,
    { record, field }: Origin,
    path: FieldPath,
    value: unknown,
    shown: Shown,
  ): void {
    const [first] = path;
    // The directory of a relative name is a record of its own, mostly with a slash at its end.
    if (first === "directory" && this.image.kind(record) === RECORDS.SOCKET_UNIX) {
      const slash = this.text(record + 1).endsWith("/") && value !== "/" ? "/" : "";
      this.setText(edit, record + 1, `${value}${slash}`);
    } else if (first === SYMLINK_TARGET) setTarget(this, edit, record, value as string);
    else if (first === "text" && typeof value === "string") this.setText(edit, record, value);
    else if (first === "text") this.setPayload(edit, record, value as Buffer, "text", shown);
    else if (first === "payload") this.setPayload(edit, record, value as Buffer, "payload");
    else {
      const place = field === undefined ? formatPath(path) : `${field}.${formatPath(path)}`;
      this.change(edit, record, place, value, Buffer.isBuffer(value) ? shown : undefined);
    }
  }

  /** The FILE_LOCKS before it counts the locks of its descriptor. */
  protected dropAt(edit: Edit, { record }: Origin): void {
    this.drop(edit, record);
    if (this.image.kind(record) !== RECORDS.FILE_LOCK) return;
    let count = record - 1;
    while (this.image.kind(count) === RECORDS.FILE_LOCK) count--;
    const { nr_locks } = this.value(count, RECORDS.FILE_LOCKS);
    if (!this.isDropped(count)) this.change(edit, count, "nr_locks", nr_locks - 1);
  }

  setField(edit: Edit, place: string, value: string): void {
    setField(this, edit, place, value);
  }

  /** Nothing but sockets has addresses that crimg knows. */
  remapOtherAddresses(rules: readonly OwnedAddressRule[]): void {
    for (const { edit, from } of rules)
      leaveSimilar(this, edit, formatAddress(from), (kind) => kind === RECORDS.SOCKET_INET);
  }

  dropIdentity(edit: Edit, identity: FileIdentity): void {
    this.dropObject(edit, identity);
  }

  patchFile(edit: Edit, _file: string, offset: number, bytes: Buffer, shown?: Shown): void {
    this.patch(edit, this.recordAt(offset), offset, { bytes, shown });
  }

  leaveSimilar(edit: Edit, text: string, changed: Similar): void {
    leaveSimilar(this, edit, text, CHANGED[changed]);
  }

  /** From the root of the container: of files, directories, watches and what deleted files come back from. */
  eachPath(visit: (path: PathField, use: PathUse) => void): void {
    const files = substitutes(this);
    for (let record = 0; record < this.image.length; record++) {
      if (this.image.kind(record)?.payload !== "path" || this.isDropped(record)) continue;
      const substituteOf = files.get(record);
      visit(this.#pathAt(record), { substituteOf, isLoose: substituteOf !== undefined });
    }
    for (const target of targets(this)) visit(target, {});
  }

  /** Streams hold no mounts. */
  remapMounts(): void {}

  pathOf({ id, origin }: OpenFile): PathField | undefined {
    const { record } = origin;
    if (this.image.kind(record) !== RECORDS.FILE) return this.#pathAt(record);
    const part = this.reader.object(id, "FILE");
    const name =
      part && (this.reader.index(part, RECORDS.FILE_NAME) ?? this.reader.index(part, RECORDS.OPENED_NAME));
    return name === undefined ? undefined : this.#pathAt(name);
  }

  #pathAt(record: number): PathField {
    return { text: this.text(record), field: "text", origin: this.reader.origin(record) };
  }

  *namesOf(tid: number): Generator<TaskName> {
    const ids = taskIds(this.reader);
    for (const [i, part] of this.reader.tree.tasks.entries()) {
      const record = this.reader.index(part, RECORDS.STRING);
      if (ids[i]?.pid === tid && record !== undefined)
        yield { comm: this.text(record), origin: this.reader.origin(record) };
    }
  }

  /** A name keeps the bytes of its record. */
  #padded(comm: string, { record }: Origin): Buffer {
    const bytes = Buffer.alloc(this.payload(record).length);
    textToBytes(comm).copy(bytes, 0, 0, bytes.length - 1);
    return bytes;
  }

  /** CGROUP_SET holds lines `controllers:path`. */
  *groupMembers(): Generator<GroupMember> {
    for (const record of this.records(RECORDS.CGROUP_SET))
      for (const [line, text] of this.text(record).split("\n").entries()) {
        const path = text.slice(text.lastIndexOf(":") + 1);
        yield { path, outside: undefined, origin: this.reader.origin(record), line };
      }
  }

  #withGroup(path: string, line: number, { record }: Origin): string {
    const lines = this.text(record).split("\n");
    const old = lines[line] ?? "";
    return lines.with(line, old.slice(0, old.lastIndexOf(":") + 1) + path).join("\n");
  }

  /** A restart makes no control groups. */
  moveGroups(): void {}

  changeDeleted(edit: Edit, to: DeletedEdit): void {
    changeDeleted(this, edit, to);
  }

  dropDescriptor(edit: Edit, descriptor: HeldDescriptor): void {
    dropDescriptor(this, edit, descriptor);
  }

  openFor(members: readonly Redirected[], path: string, flags: number): void {
    openFor(this, members, path, flags);
  }

  dropFile(edit: Edit, file: OpenFile): void {
    dropOpenFile(this, edit, file);
  }

  isNeeded(): boolean {
    return false;
  }

  override lockedFiles(lock: Lock, files: FileTable): OpenFile[] {
    const holders = lockHolders(this);
    const ids = [lock.origin, ...lock.repeats].flatMap(({ record }) => holders.get(record)?.objref ?? []);
    return [...new Set(ids)].flatMap((id) => files.get(id) ?? []);
  }

  moveLock(edit: Edit, lock: Lock, holders: readonly HeldDescriptor[]): void {
    const origins = [lock.origin, ...lock.repeats].filter((origin) => this.isThere(origin));
    const at = lockHolders(this);
    const standing = new Set(holders.map(({ origin }) => origin.record));
    const [moved, kept] = [true, false].map((isMoved) =>
      origins.filter(({ record }) => standing.has(at.get(record)?.descriptor ?? -1) !== isMoved),
    );
    for (const origin of moved ?? []) this.dropAt(edit, origin);
    if (kept?.length === 0) moveLock(this, edit, lock.origin.record, holders[0] as HeldDescriptor);
  }

  dropWatches(edit: Edit, epoll: OpenFile, isMeant: (watch: EpollWatch) => boolean): boolean {
    const part = this.reader.object(epoll.id, "FILE");
    const record = part?.deferred && this.reader.index(part.deferred, RECORDS.EPOLL_ITEMS);
    const { watches = [] } = epoll.special?.kind === "epoll" ? epoll.special : {};
    const kept = [...watches.keys()].filter((i) => !isMeant(watches[i] as EpollWatch));
    if (record === undefined || kept.length === watches.length) return false;
    const items = record + 1;
    const bytes = this.payload(items);
    const { size } = EPOLL_ITEM;
    if (kept.length === 0) this.drop(edit, items);
    else {
      const all = Buffer.concat(kept.map((i) => bytes.subarray(i * size, (i + 1) * size)));
      this.setPayload(edit, items, all, "payload");
    }
    this.change(edit, record, "num_items", kept.length);
    return true;
  }

  hangUp(edit: Edit, { origin }: PairedSocket, isShutDown: boolean): void {
    this.change(edit, origin.record, "peer", 0);
    const socket = this.once("SOCKET records", () => {
      const pairs = [...this.reader.objects("SOCK")].map((part) => {
        const unix: RecordKind = RECORDS.SOCKET_UNIX;
        return [this.reader.index(part, unix), this.reader.get(part, RECORDS.SOCKET).index] as const;
      });
      return new Map(pairs);
    }).get(origin.record);
    if (isShutDown && socket !== undefined) this.change(edit, socket, "sock.shutdown", SHUTDOWN_MASK);
  }
}
