import path from "node:path";
import { ROOT_DIFF } from "../../../formats/archive/engine-files.js";
import type { FactKind } from "../../../formats/archive/facts.js";
import { FILE_TYPES } from "../../../formats/criu/file-types.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { CgroupEntry } from "../../../formats/criu/tables/cgroup.js";
import type { CoreEntry } from "../../../formats/criu/tables/core.js";
import type { EventpollTfdEntry } from "../../../formats/criu/tables/eventpoll.js";
import { GHOST_FILE_ENTRY } from "../../../formats/criu/tables/ghost-file.js";
import { MNT_ENTRY } from "../../../formats/criu/tables/mnt.js";
import { REG_FILE_ENTRY } from "../../../formats/criu/tables/regfile.js";
import { UNIX_SK_ENTRY } from "../../../formats/criu/tables/sk-unix.js";
import { UnsupportedError } from "../../../io/errors.js";
import type { Splice } from "../../../io/splice.js";
import { SHUTDOWN_MASK } from "../../../linux/sockets.js";
import type { Checkpoint } from "../../../model/checkpoint.js";
import { criuCheckpoint } from "../../../model/criu/checkpoint.js";
import { encodeIdentity } from "../../../model/criu/file-identity.js";
import { encodeUtsNamespace } from "../../../model/criu/ipc.js";
import { encodeLock } from "../../../model/criu/locks.js";
import { encodeEnds, encodeName } from "../../../model/criu/sockets.js";
import { criuStoredMemory } from "../../../model/criu/stored-memory.js";
import { encodeTimer } from "../../../model/criu/timers.js";
import type { Lock } from "../../../model/lock.js";
import type { StoredMemory } from "../../../model/memory.js";
import type { FileIdentity, OpenFile } from "../../../model/open-file.js";
import type { Origin } from "../../../model/origin.js";
import type { Socket } from "../../../model/socket.js";
import type { EpollWatch } from "../../../model/special-file.js";
import { type FieldPath, formatPath, parsePath } from "../../../schema/patch.js";
import type { OwnedAddressRule } from "../address-rules.js";
import type { DeletedEdit, Redirected, Shown, Similar } from "../editor.js";
import type { HeldDescriptor, PairedSocket } from "../held-files.js";
import type {
  ChangedFact,
  Encoders,
  Fact,
  GroupMember,
  PathField,
  PathUse,
  RootFile,
  TaskName,
} from "../objects.js";
import type { OwnedRule, PathRules } from "../path-rules.js";
import type { Edit } from "../plan.js";
import { moveGroupDirectories } from "./cgroup-directories.js";
import { checkSplices } from "./check.js";
import { EngineFacts } from "./engine-facts.js";
import { setField } from "./fields.js";
import { remapMounts } from "./mounts.js";
import { dropOpenFile, isRemapped, openFor } from "./open-files.js";
import { remapOtherAddresses } from "./other-addresses.js";
import { RootChanges } from "./root-changes.js";
import { pathFieldOf, SetRecords } from "./set-records.js";
import { holdsPath, leaveSimilar, type Wants } from "./similar.js";
import { unreadableImages } from "./unreadable.js";

/** The fields that edits change, by what others may be similar to. */
const CHANGED: Readonly<Record<Similar, Wants>> = {
  path: holdsPath,
  cgroup: ({ holds }) => holds === "cgroup-path",
  "host name": ({ holds }, name) => holds === "host-name" && name === "nodename",
};

/** A CRIU image set while edits are planned. */
export class SetEditor extends SetRecords {
  readonly holdsAllTimes = false;
  protected readonly encoders: Encoders = {
    lock: encodeLock,
    timer: encodeTimer,
    uts: encodeUtsNamespace,
    ends: (ends) => encodeEnds(ends, this.#isBigEndian),
    unix: encodeName,
    path: ({ field, text }) => ({ [field]: text }),
    comm: ({ comm }) => ({ comm }),
    group: ({ path: name, outside }) => ({ path: name, cgns_prefix: outside }),
    identity: (identity) =>
      encodeIdentity(
        identity,
        this.set.imageNamed(identity.origin.image)?.header?.byteOrder ?? "little-endian",
      ),
  };

  /** All images of a set are of one machine. */
  get #isBigEndian(): boolean {
    return this.once("byte order", () => {
      const first = this.set.files.find(({ kind }) => kind?.magic !== undefined);
      return first !== undefined && this.set.imageNamed(first.name)?.header?.byteOrder === "big-endian";
    });
  }

  /** Of the engine that made the set. */
  readonly #facts = new EngineFacts(this.files);

  changeFacts(kind: FactKind, to: (fact: Fact) => ChangedFact | undefined): void {
    for (const fact of this.#facts.all(kind)) {
      const changed = to(fact);
      if (changed === undefined) continue;
      const { edit, value } = changed;
      this.matched(edit);
      if (value === fact.value) continue;
      fact.set(value);
      const { file: image, field, value: before } = fact;
      this.log(edit, { image, record: undefined, field, before, after: value });
    }
  }

  readonly #root = new RootChanges(this.files);

  addRootFile(edit: Edit, file: RootFile): void {
    const before = this.#root.add(file);
    this.matched(edit);
    const after = `${file.content.length} bytes`;
    this.log(edit, { image: ROOT_DIFF, record: undefined, field: file.path, before, after });
  }

  dropRootFile(edit: Edit, path: string): void {
    for (const [field, before] of this.#root.drop(path)) {
      this.matched(edit);
      this.log(edit, { image: ROOT_DIFF, record: undefined, field, before, after: undefined });
    }
  }

  override splices(): Map<string, Splice[]> {
    return new Map([...super.splices(), ...this.#facts.splices(), ...this.#root.splices()]);
  }

  protected makeModel(): Checkpoint {
    // Records of open files are held by the model: they must be those that edits change.
    for (const kind of [IMAGES.FILES, ...FILE_TYPES.flatMap(({ splitImage }) => splitImage ?? [])])
      this.set.image(kind)?.records();
    return criuCheckpoint(this.set);
  }

  protected isThere(origin: Origin): boolean {
    const { image, record } = this.recordAt(origin);
    return !this.isDropped(image, record);
  }

  protected changeField(edit: Edit, origin: Origin, field: FieldPath, value: unknown): void {
    this.change(edit, this.recordAt(origin), [...parsePath(origin.field ?? ""), ...field], value);
  }

  protected dropAt(edit: Edit, origin: Origin): void {
    const found = this.recordAt(origin);
    if (origin.field === undefined) this.drop(edit, found);
    else this.change(edit, found, parsePath(origin.field), undefined);
  }

  check(splices: ReadonlyMap<string, readonly Splice[]>): void {
    checkSplices(this, splices);
    for (const { image, error } of unreadableImages(this.files))
      this.warnings.add(`${error.message}; ${image} stays so, and the result cannot be restored`);
  }

  storedMemory(): { readonly bytes: number; readonly all: Iterable<StoredMemory> } {
    let bytes = 0;
    for (const { name, kind } of this.set.files)
      if (kind === IMAGES.PAGES) bytes += this.set.fileSet.open(name)?.size ?? 0;
    return { bytes, all: criuStoredMemory(this.set) };
  }

  setField(edit: Edit, place: string, value: string): void {
    setField(this, edit, place, value);
  }

  dropIdentity(edit: Edit, identity: FileIdentity): void {
    const nothing = { size: undefined, mode: undefined, buildId: undefined };
    this.changeObject(edit, "identity", identity, nothing, () => "a file without checks");
  }

  patchFile(edit: Edit, file: string, offset: number, bytes: Buffer, shown?: Shown): void {
    this.patch(edit, path.basename(file), offset, { bytes, shown });
  }

  leaveSimilar(edit: Edit, text: string, changed: Similar): void {
    leaveSimilar(this, edit, text, CHANGED[changed]);
  }

  *sockets(): Generator<Socket> {
    for (const { socket, origin } of this.checkpoint.files.all)
      if (socket !== undefined && this.isThere(origin)) yield socket;
  }

  remapOtherAddresses(rules: readonly OwnedAddressRule[]): void {
    remapOtherAddresses(this, rules, this.#isBigEndian);
  }

  eachPath(visit: (path: PathField, use: PathUse) => void): void {
    const links = new Map(
      this.checkpoint.deletedFiles.flatMap(({ method, keptFile, path: file }) =>
        method === "link remap" && keptFile !== undefined && file !== undefined ? [[keptFile.id, file]] : [],
      ),
    );
    this.eachField(holdsPath, (found) => {
      const { table, owner } = found;
      if (table === UNIX_SK_ENTRY || (table === MNT_ENTRY && found.name !== "mountpoint")) return;
      const isRegular = table === REG_FILE_ENTRY;
      visit(pathFieldOf(found), {
        isLoose: table !== GHOST_FILE_ENTRY,
        ...(isRegular && owner.ext === true ? { noPath: "the key of an external file, not a path" } : {}),
        substituteOf: isRegular ? links.get(owner.id as number) : undefined,
      });
    });
  }

  remapMounts(rules: PathRules<OwnedRule>): void {
    remapMounts(this, rules);
    const [first, ...more] = this.#root.below((path) => rules.map(path) !== undefined);
    if (first === undefined) return;
    const others = more.length === 0 ? "" : ` and ${more.length} more`;
    this.notes.add(
      `${first}${others} of the container's changed files stay where they are; --rootfs-add puts a file where the new path is`,
    );
  }

  pathOf({ path: text, origin }: OpenFile): PathField | undefined {
    return text === undefined ? undefined : { text, field: "name", origin };
  }

  *namesOf(tid: number): Generator<TaskName> {
    const image = this.set.image(IMAGES.CORE, tid);
    for (const { index, value } of image?.records() ?? []) {
      const { tc, thread_core: thread }: Partial<CoreEntry> = value;
      const origin = { image: image?.fileName ?? "", record: index };
      if (tc !== undefined) yield { comm: tc.comm, origin: { ...origin, field: "tc" } };
      if (thread?.comm !== undefined)
        yield { comm: thread.comm, origin: { ...origin, field: "thread_core" } };
    }
  }

  *groupMembers(): Generator<GroupMember> {
    const image = this.set.image(IMAGES.CGROUP);
    for (const { index, value } of image?.records() ?? [])
      for (const [i, { ctls }] of (value as CgroupEntry).sets.entries())
        for (const [j, { path: group, cgns_prefix: outside }] of ctls.entries()) {
          const field = formatPath(["sets", i, "ctls", j]);
          yield { path: group, outside, origin: { image: image?.fileName ?? "", record: index, field } };
        }
  }

  moveGroups(rules: PathRules<OwnedRule>): void {
    moveGroupDirectories(this, rules);
  }

  changeDeleted(_edit: Edit, _to: DeletedEdit): void {
    throw new UnsupportedError(
      "in a CRIU set ghost files and link remaps are images and entries of their own, which crimg does not turn into one another; dump again with --ghost-limit or --link-remap",
      { file: this.name },
    );
  }

  dropDescriptor(edit: Edit, { origin }: HeldDescriptor): void {
    this.drop(edit, this.recordAt(origin));
  }

  openFor(members: readonly Redirected[], name: string, flags: number): void {
    openFor(this, members, name, flags);
  }

  dropFile(edit: Edit, file: OpenFile): void {
    dropOpenFile(this, edit, file);
  }

  /** A deleted file keeps its entry, and so does what it comes back from. */
  isNeeded(file: OpenFile): boolean {
    return isRemapped(this, file);
  }

  moveLock(edit: Edit, { pid, fd, origin }: Lock, holders: readonly HeldDescriptor[]): void {
    const [next] = holders;
    if (next === undefined || holders.some((each) => each.fd === fd && each.pids.includes(pid))) return;
    const lock = this.recordAt(origin);
    this.change(edit, lock, ["pid"], next.pids[0]);
    this.change(edit, lock, ["fd"], next.fd);
  }

  dropWatches(edit: Edit, epoll: OpenFile, isMeant: (watch: EpollWatch) => boolean): boolean {
    const { tfd: all = [] } = epoll.record as { readonly tfd?: readonly EventpollTfdEntry[] };
    const kept = all.filter(
      ({ tfd, events, data }) => !isMeant({ fd: tfd, events, data, fileId: undefined }),
    );
    if (kept.length === all.length) return false;
    this.changeField(edit, epoll.origin, ["tfd"], kept);
    return true;
  }

  hangUp(edit: Edit, { origin }: PairedSocket, isShutDown: boolean): void {
    this.changeField(edit, origin, ["peer"], 0);
    if (isShutDown) this.changeField(edit, origin, ["shutdown"], SHUTDOWN_MASK);
  }
}
