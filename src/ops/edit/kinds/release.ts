/** What follows when a descriptor no longer names its open file description: as close(2) would do it. */

import type { CriuImage, ImageRecord } from "../../../formats/criu/image.js";
import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { SK_STATE, SK_TYPE } from "../../../formats/criu/names.js";
import type { EventpollTfdEntry } from "../../../formats/criu/tables/eventpoll.js";
import { LOCK_POSIX } from "../../../formats/criu/tables/file-lock.js";
import { MM_ENTRY } from "../../../formats/criu/tables/mm.js";
import { SK_SHUTDOWN } from "../../../formats/criu/tables/sk-opts.js";
import { SCM_ENTRY } from "../../../formats/criu/tables/sk-queue.js";
import { UNIX_SK_ENTRY } from "../../../formats/criu/tables/sk-unix.js";
import { O_ACCMODE, O_WRONLY } from "../../../linux/open-flags.js";
import type { AnyValue } from "../../../schema/message.js";
import {
  descriptionOf,
  descriptors,
  type FoundDescription,
  type FoundDescriptor,
  holdersOf,
  typeOf,
} from "../descriptors.js";
import type { Draft } from "../draft.js";
import type { Edit } from "../plan.js";

const DATAGRAM = SK_TYPE.values.get("DGRAM");
const ESTABLISHED = SK_STATE.values.get("ESTABLISHED");
const MAPPING_WITH_FILE = 0x40 | 0x80 | 0x800;

/** Descriptors that let go of one description. */
export interface Release {
  readonly edit: Edit;
  readonly description: FoundDescription | undefined;
  readonly descriptors: readonly FoundDescriptor[];
  /** Descriptors that still name it. */
  readonly others: readonly FoundDescriptor[];
  /** Its record has become something else and stays. */
  readonly isReused: boolean;
}

/** The entries of the descriptors themselves have been changed or dropped already. */
export function release(
  draft: Draft,
  { edit, description, descriptors: gone, others, isReused }: Release,
): void {
  for (const descriptor of gone) {
    releaseLocks(draft, edit, descriptor, others[0]);
    releaseEpoll(draft, edit, descriptor);
  }
  if (description === undefined || others.length > 0) return;
  const { type, id, value } = description;
  if (isNamedElsewhere(draft, type, id)) return;
  if (!isReused) draft.drop(edit, description.image, description.record);
  if (type === "PIPE" || type === "FIFO") warnOfPipe(draft, description);
  if (type === "UNIXSK") releasePeer(draft, edit, description);
  if (type === "INETSK" && value.state === ESTABLISHED && value.dst_port !== 0)
    draft.warnings.add(
      `the connection behind descriptor ${gone.map(nameOf).join(", ")} is not restored; its peer will meet a reset`,
    );
  const node = value.regf_id;
  const companion = typeof node === "number" ? descriptionOf(draft, "REG", node) : undefined;
  if (companion === undefined || isNamedElsewhere(draft, "REG", companion.id, description.record)) return;
  if (holdersOf(draft, "REG", companion.id).length === 0) draft.drop(edit, companion.image, companion.record);
}

/** `4711:1`; every task of a shared table is named. */
export function nameOf({ pids, value }: FoundDescriptor): string {
  return `${pids.join(",")}:${value.fd}`;
}

/**
 * POSIX locks end when their process closes the file. The other kinds belong to the description, so they stay with a
 * descriptor that still names it.
 */
function releaseLocks(
  draft: Draft,
  edit: Edit,
  { pids, value }: FoundDescriptor,
  heir: FoundDescriptor | undefined,
): void {
  for (const pid of pids)
    for (const { image, record } of locksOf(draft, pid, value.fd)) {
      if (draft.isDropped(image, record)) continue;
      if (record.value.flag === LOCK_POSIX || heir === undefined) {
        draft.drop(edit, image, record);
        draft.notes.add(`the lock of descriptor ${pid}:${value.fd} goes with it`);
      } else {
        draft.change(edit, image, record, ["pid"], heir.pids[0]);
        draft.change(edit, image, record, ["fd"], heir.value.fd);
      }
    }
}

interface FoundRecord {
  readonly image: CriuImage;
  readonly record: ImageRecord;
}

function locksOf(draft: Draft, pid: number, fd: number): readonly FoundRecord[] {
  const all = draft.once("locks by descriptor", () => {
    const locks = new Map<string, FoundRecord[]>();
    const image = draft.set.image(IMAGES.FILE_LOCKS) as CriuImage | undefined;
    for (const record of image?.records() ?? []) {
      if (image === undefined) continue;
      const key = `${record.value.pid}:${record.value.fd}`;
      locks.set(key, [...(locks.get(key) ?? []), { image, record }]);
    }
    return locks;
  });
  return all.get(`${pid}:${fd}`) ?? [];
}

/** An epoll instance of the same table must not wait for the descriptor any more: the restore would fail to add it. */
function releaseEpoll(draft: Draft, edit: Edit, { image, value }: FoundDescriptor): void {
  const held = draft.once(`epoll instances of ${image.fileName}`, () => {
    const own = descriptors(draft).filter((each) => each.image === image && typeOf(each) === "EVENTPOLL");
    return own.flatMap((each) => descriptionOf(draft, "EVENTPOLL", each.value.id) ?? []);
  });
  for (const { image: files, record, path, value: epoll } of held) {
    const targets = epoll.tfd as EventpollTfdEntry[];
    if (draft.isDropped(files, record) || !targets.some(({ tfd }) => tfd === value.fd)) continue;
    const kept = targets.filter(({ tfd }) => tfd !== value.fd);
    draft.change(edit, files, record, [...path, "tfd"], kept);
    draft.notes.add(`an epoll descriptor no longer waits for descriptor ${value.fd}`);
  }
}

/** The other end of a pipe notices when the last reader or writer is gone. */
function warnOfPipe(draft: Draft, gone: FoundDescription): void {
  const ends = descriptors(draft)
    .filter((each) => typeOf(each) === gone.type && !draft.isDropped(each.image, each.record))
    .map((each) => ({ each, end: descriptionOf(draft, gone.type, each.value.id) }))
    .filter(({ end }) => end !== gone && end?.value.pipe_id === gone.value.pipe_id);
  if (ends.length === 0) return;
  const isWriter = (description: FoundDescription | undefined): boolean =>
    (accessOf(draft, description) & O_ACCMODE) === O_WRONLY;
  const wasWriter = isWriter(gone);
  if (ends.some(({ end }) => isWriter(end) === wasWriter)) return;
  const others = ends.map(({ each }) => nameOf(each)).join(", ");
  draft.warnings.add(
    wasWriter
      ? `nothing writes into the pipe any more: ${others} will read end of file`
      : `nothing reads from the pipe any more: ${others} will get SIGPIPE or EPIPE at the next write`,
  );
}

/** A fifo keeps its flags in the entry of its node. */
function accessOf(draft: Draft, description: FoundDescription | undefined): number {
  const own = description?.value.flags;
  if (typeof own === "number") return own;
  const node = description?.value.regf_id;
  const flags = typeof node === "number" ? descriptionOf(draft, "REG", node)?.value.flags : undefined;
  return typeof flags === "number" ? flags : 0;
}

/**
 * criu refuses a socket whose peer is missing. Without a peer it restores one whose other end was closed: the kernel has
 * shut down both directions of such a stream, and criu insists on it.
 */
function releasePeer(draft: Draft, edit: Edit, gone: FoundDescription): void {
  draft.eachMessage(UNIX_SK_ENTRY, ({ image, record, path, value }) => {
    if (value.peer !== gone.value.ino) return;
    draft.change(edit, image, record, [...path, "peer"], 0);
    if (value.type === DATAGRAM) return;
    draft.change(edit, image, record, [...path, "shutdown"], SK_SHUTDOWN.values.get("BOTH"));
    const others = holdersOf(draft, "UNIXSK", value.id).map(nameOf).join(", ");
    draft.warnings.add(
      `the other end of the unix socket is gone: ${others || `socket ${value.ino}`} will read end of file`,
    );
  });
}

/**
 * Whether something other than a descriptor needs the description: a mapping, a task's directories, a packet … The
 * record `except` is about to become something else and does not count.
 */
export function isNamedElsewhere(draft: Draft, type: string, id: number, except?: ImageRecord): boolean {
  if (draft.once("descriptions named elsewhere", () => namedElsewhere(draft)).has(id)) return true;
  if (type !== "REG") return false;
  const owners = ownersOfNodes(draft).get(id) ?? [];
  return owners.some(
    ({ image, record }) =>
      record !== except && !draft.isDropped(image, record) && nodesOf(record.value).includes(id),
  );
}

function namedElsewhere(draft: Draft): Set<number> {
  const ids = new Set<number>();
  draft.eachMessage(MM_ENTRY, ({ value }) => {
    ids.add(value.exe_file_id);
    for (const { status, shmid } of value.vmas)
      if ((status & MAPPING_WITH_FILE) !== 0) ids.add(Number(shmid));
  });
  for (const pid of draft.set.ids(IMAGES.FS)) {
    const fs = draft.set.first(IMAGES.FS, pid);
    if (fs === undefined) continue;
    ids.add(fs.cwd_id);
    ids.add(fs.root_id);
  }
  for (const { value } of draft.set.records(IMAGES.REMAP_FPATH)) {
    ids.add(value.orig_id);
    ids.add(value.remap_id);
  }
  draft.eachMessage(SCM_ENTRY, ({ value }) => {
    for (const id of value.rights) ids.add(id);
  });
  return ids;
}

/** Entries of fifos, terminals and tun devices, by the regular entry that is their node. */
function ownersOfNodes(draft: Draft): ReadonlyMap<number, readonly FoundRecord[]> {
  return draft.once("owners of nodes", () => {
    const owners = new Map<number, FoundRecord[]>();
    for (const kind of [IMAGES.FILES, IMAGES.FIFO, IMAGES.TTY_FILES]) {
      const image = draft.set.image(kind as ImageKind) as CriuImage | undefined;
      for (const record of image?.records() ?? []) {
        if (image === undefined) continue;
        for (const node of nodesOf(record.value))
          owners.set(node, [...(owners.get(node) ?? []), { image, record }]);
      }
    }
    return owners;
  });
}

function nodesOf(value: AnyValue): number[] {
  const { fifo, tty, tunf, regf_id } = value as Record<string, { regf_id?: number; id?: number } | undefined>;
  return [fifo?.regf_id, tty?.regf_id, tunf?.id, regf_id].filter((node) => typeof node === "number");
}
