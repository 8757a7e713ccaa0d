/** What follows when a descriptor no longer names its open file description: as close(2) would do it. */

import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EditError } from "../../../io/errors.js";
import { FL_OFDLCK, FL_POSIX } from "../../../linux/locks.js";
import { O_ACCMODE, O_WRONLY } from "../../../linux/open-flags.js";
import { equalValues } from "../../../schema/equal.js";
import type { Edit } from "../plan.js";
import {
  descriptorText,
  requiredFile,
  type StreamDescriptor,
  type StreamFile,
  streamFile,
  streamFiles,
  streamHolders,
} from "./descriptors.js";
import type { StreamDraft } from "./draft.js";
import { keepDefinitions } from "./keep-definitions.js";
import { dropLock, lockValue, type StreamLock, streamLocks } from "./locks.js";
import { dropObject } from "./objects.js";
import { releaseSocket } from "./release-socket.js";
import { passContentsOn } from "./unlinked.js";

const PIPE = 2;
const FIFO = 3;
const EPOLL_ITEM_BYTES = 24;

/** The FILE_DESC of these has been changed or dropped already; `objref` is what it named. */
export function releaseFromStream(
  draft: StreamDraft,
  edit: Edit,
  descriptors: readonly StreamDescriptor[],
  objref: number,
): void {
  const file = requiredFile(draft, descriptors, objref);
  for (const descriptor of descriptors) releaseLocks(draft, edit, descriptor, objref);
  releaseFile(draft, edit, file, descriptors);
  for (const { table } of descriptors)
    draft.atEnd("order", `definitions of ${table.objref}`, () => keepDefinitions(draft, table));
}

/**
 * POSIX locks of a process end when it closes any descriptor of the file. The other kinds belong to the description, so
 * they go over to a descriptor that still names it.
 */
function releaseLocks(draft: StreamDraft, edit: Edit, gone: StreamDescriptor, objref: number): void {
  const all = streamLocks(draft);
  for (const lock of all.filter(({ descriptor }) => descriptor === gone)) {
    const value = lockValue(draft, lock);
    const isPosix = (value.fl_flags & FL_POSIX) !== 0 && (value.fl_flags & FL_OFDLCK) === 0;
    dropLock(draft, edit, lock);
    if (isPosix) {
      draft.notes.add(`the lock of descriptor ${descriptorText(gone)} goes with it`);
      dropRepeats(draft, edit, all, lock, objref);
    } else draft.atEnd("heirs", `lock ${lock.index}`, () => bequeath(draft, edit, lock, objref));
  }
}

/** The same POSIX lock may stand behind every descriptor of its file in one table. */
function dropRepeats(
  draft: StreamDraft,
  edit: Edit,
  all: readonly StreamLock[],
  lock: StreamLock,
  objref: number,
): void {
  const value = lockValue(draft, lock);
  const twins = new Set(streamHolders(draft, objref));
  for (const other of all)
    if (
      twins.has(other.descriptor) &&
      other.descriptor.table === lock.descriptor.table &&
      !draft.isDropped(other.index) &&
      equalValues(lockValue(draft, other), value)
    )
      dropLock(draft, edit, other);
}

/** Gives a lock of the description to a descriptor that still names that; without one it goes. */
function bequeath(draft: StreamDraft, edit: Edit, lock: StreamLock, objref: number): void {
  const [heir] = streamHolders(draft, objref);
  if (heir === undefined) {
    draft.notes.add(`the lock of descriptor ${descriptorText(lock.descriptor)} goes with it`);
    return;
  }
  const count = draft.reader.index(heir.part, RECORDS.FILE_LOCKS);
  if (count === undefined) {
    draft.insertBehind(edit, heir.index, RECORDS.FILE_LOCKS, { fd: heir.fd, nr_locks: 1, flags: 0 });
    draft.insertBehind(edit, heir.index, RECORDS.FILE_LOCK, lockValue(draft, lock));
    return;
  }
  draft.change(edit, count, "nr_locks", draft.value(count, RECORDS.FILE_LOCKS).nr_locks + 1);
  draft.insertBehind(edit, count, RECORDS.FILE_LOCK, lockValue(draft, lock));
}

/** A mapping, a program, a directory of a task or a message on its way keeps a file as well. */
function isKept(draft: StreamDraft, objref: number): boolean {
  const kept = draft.once("files that are kept", () => {
    const all = new Set<number>();
    for (const index of draft.records(RECORDS.VMA)) all.add(draft.image.value(index, RECORDS.VMA).vma_objref);
    for (const index of draft.records(RECORDS.MM)) all.add(draft.image.value(index, RECORDS.MM).exe_objref);
    for (const index of draft.records(RECORDS.FS_EXTRA)) {
      const { cwd_objref, root_objref } = draft.image.value(index, RECORDS.FS_EXTRA);
      all.add(cwd_objref).add(root_objref);
    }
    return all;
  });
  return kept.has(objref) || isInFlight(draft, objref);
}

/** Descriptors in queued messages, unix(7) SCM_RIGHTS. */
function isInFlight(draft: StreamDraft, objref: number): boolean {
  for (const index of draft.records(RECORDS.PACKET_RIGHTS))
    if (draft.image.numbers(index).includes(objref)) return true;
  return false;
}

function releaseFile(
  draft: StreamDraft,
  edit: Edit,
  file: StreamFile,
  gone: readonly StreamDescriptor[],
): void {
  const { objref, index, part } = file;
  if (streamHolders(draft, objref).length > 0 || isKept(draft, objref)) return;
  const value = draft.value(index, RECORDS.FILE);
  assertNoSharedMemory(draft, file);
  if (value.f_type === PIPE || value.f_type === FIFO) releasePipe(draft, file);
  draft.atEnd("heirs", `contents of ${objref}`, () => passContentsOn(draft, edit, file));
  dropObject(draft, edit, part);
  releaseEpoll(draft, edit, objref);
  if (value.sock_objref !== undefined)
    for (const sent of releaseSocket(draft, edit, value.sock_objref, gone)) {
      const inside = streamFile(draft, sent);
      if (inside !== undefined) releaseFile(draft, edit, inside, []);
    }
  if (value.tty_objref !== undefined) releaseTerminal(draft, edit, value.tty_objref);
}

function assertNoSharedMemory(draft: StreamDraft, { part, index }: StreamFile): void {
  const memfd = draft.reader.find(part, RECORDS.MEMFD);
  if (memfd === undefined || part.pageArrays.length === 0) return;
  for (const other of streamFiles(draft)) {
    const shared = draft.reader.find(other.part, RECORDS.MEMFD)?.value.inode_objref;
    if (other.index === index || shared !== memfd.value.inode_objref) continue;
    throw new EditError(
      "this memfd holds the pages of another one that stays, and crimg does not move them",
      draft.image.place(index),
    );
  }
}

/** The unread bytes stand with the first end in the stream; the next end takes them over. */
function releasePipe(draft: StreamDraft, { part, index }: StreamFile): void {
  const { pipe_objref: pipe, f_flags: flags } = draft.value(index, RECORDS.FILE);
  const ends = streamFiles(draft).filter(
    (file) => file.index !== index && draft.value(file.index, RECORDS.FILE).pipe_objref === pipe,
  );
  if (ends.length === 0) return;
  const content = draft.reader.index(part, RECORDS.PIPE_BUF);
  if (content !== undefined)
    draft.atEnd("heirs", `pipe ${pipe}`, () => {
      const heir = streamFiles(draft).find(
        (file) => draft.value(file.index, RECORDS.FILE).pipe_objref === pipe,
      );
      if (heir !== undefined) draft.handOver(content, placeOfContent(draft, heir));
    });
  const isWriter = (f: number): boolean => (f & O_ACCMODE) === O_WRONLY;
  if (ends.some((end) => isWriter(draft.value(end.index, RECORDS.FILE).f_flags) === isWriter(flags))) return;
  const others = ends
    .flatMap(({ objref }) => streamHolders(draft, objref))
    .map(descriptorText)
    .join(", ");
  draft.warnings.add(
    isWriter(flags)
      ? `nothing writes into the pipe any more: ${others} will read end of file`
      : `nothing reads from the pipe any more: ${others} will get SIGPIPE or EPIPE at the next write`,
  );
}

/** PIPE_BUF stands behind FILE, and behind all that tells the name of a fifo. */
function placeOfContent(draft: StreamDraft, { part, index }: StreamFile): number {
  const names = [RECORDS.FILE_NAME, RECORDS.FILE_UNLINKED].flatMap((kind) =>
    part.records.filter((record) => draft.image.kind(record) === kind),
  );
  return Math.max(index, ...names);
}

/** Closing the last descriptor of a file ends the wait of epoll instances for it. */
function releaseEpoll(draft: StreamDraft, edit: Edit, objref: number): void {
  const isLittle = draft.image.byteOrder === "little-endian";
  for (const index of draft.records(RECORDS.EPOLL_ITEMS)) {
    const items = index + 1;
    if (draft.value(index, RECORDS.EPOLL_ITEMS).num_items === 0 || draft.isDropped(items)) continue;
    const bytes = draft.payload(items);
    const kept: Buffer[] = [];
    for (let at = 0; at + EPOLL_ITEM_BYTES <= bytes.length; at += EPOLL_ITEM_BYTES) {
      const watched = isLittle ? bytes.readInt32LE(at + 12) : bytes.readInt32BE(at + 12);
      if (watched !== objref) kept.push(bytes.subarray(at, at + EPOLL_ITEM_BYTES));
    }
    if (kept.length * EPOLL_ITEM_BYTES === bytes.length) continue;
    if (kept.length === 0) draft.drop(edit, items);
    else draft.setPayload(edit, items, Buffer.concat(kept), "payload");
    draft.change(edit, index, "num_items", kept.length);
    draft.notes.add("an epoll descriptor no longer waits for what was closed");
  }
}

/** A terminal stays while a file, a session or the other side has it. */
function releaseTerminal(draft: StreamDraft, edit: Edit, objref: number): void {
  const part = draft.reader.object(objref, "TTY");
  const found = part && draft.reader.find(part, RECORDS.TTY);
  if (part === undefined || found === undefined || draft.isDropped(found.index)) return;
  const hasFile = streamFiles(draft).some(
    ({ index }) => draft.value(index, RECORDS.FILE).tty_objref === objref,
  );
  const hasSession = [...draft.records(RECORDS.SIGNAL)].some(
    (index) => draft.value(index, RECORDS.SIGNAL).tty_objref === objref,
  );
  const hasSlave = [...draft.records(RECORDS.TTY)].some(
    (index) => draft.value(index, RECORDS.TTY).link_objref === objref,
  );
  if (hasFile || hasSession || hasSlave) return;
  dropObject(draft, edit, part);
  if (found.value.link_objref > 0) releaseTerminal(draft, edit, found.value.link_objref);
}
