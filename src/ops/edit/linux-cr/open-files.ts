import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { objectTypes } from "../../../formats/linux-cr/revisions.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { EditError } from "../../../io/errors.js";
import { O_ACCMODE } from "../../../linux/open-flags.js";
import { SOCK_DEAD } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Redirected } from "../editor.js";
import type { HeldDescriptor } from "../held-files.js";
import type { Edit } from "../plan.js";
import { passContentsOn } from "./deleted-files.js";
import { keepDefinitions } from "./keep-definitions.js";
import { dropObject, dropPart, newNumber, recordsOf } from "./objects.js";
import type { StreamRecords } from "./stream-records.js";

/** FMODE bits of the kernel: read 1 and write 2 are the access mode plus one; a regular file can seek, pread and pwrite. */
const SEEKABLE = 0x1c;

/** The parts of descriptors with their tables, by their FILE_DESC. */
function descriptorParts(
  editor: StreamRecords,
): ReadonlyMap<number, { readonly table: Part; readonly part: Part }> {
  return editor.once("descriptor parts", () => {
    const all = new Map<number, { readonly table: Part; readonly part: Part }>();
    for (const table of editor.reader.objects("FILE_TABLE"))
      for (const part of table.parts)
        if (part.rule === "descriptor")
          all.set(editor.reader.get(part, RECORDS.FILE_DESC).index, { table, part });
    return all;
  });
}

/** Takes a descriptor out of its table, which counts it, with the count of its locks. */
export function dropDescriptor(editor: StreamRecords, edit: Edit, { origin }: HeldDescriptor): void {
  const found = descriptorParts(editor).get(origin.record);
  if (found === undefined) return;
  const { table, part } = found;
  editor.drop(edit, origin.record);
  const count = editor.reader.get(table, RECORDS.FILE_TABLE).index;
  editor.change(edit, count, "fdt_nfds", editor.value(count, RECORDS.FILE_TABLE).fdt_nfds - 1);
  const locks = editor.reader.index(part, RECORDS.FILE_LOCKS);
  if (locks !== undefined) editor.drop(edit, locks);
  editor.atEnd("order", `definitions of ${table.objref}`, () => keepDefinitions(editor, table));
}

/** Defines a new FILE before the first of the descriptors that get it. */
export function openFor(
  editor: StreamRecords,
  given: readonly Redirected[],
  path: string,
  flags: number,
): void {
  const record = ({ descriptor }: Redirected): number => descriptor.origin.record;
  const members = given.toSorted((a, b) => record(a) - record(b));
  const [first] = members as [Redirected];
  const { edit, descriptor } = first;
  const old = descriptor.file as OpenFile;
  const objref = newNumber(editor);
  const at = record(first);
  const objtype = objectTypes(editor.image.dialect.commit).indexOf("FILE");
  editor.insert(edit, at, RECORDS.OBJREF, { objtype, objref });
  editor.insert(edit, at, RECORDS.FILE, {
    f_type: FILE_TYPE.generic,
    f_mode: ((flags & O_ACCMODE) + 1) | SEEKABLE,
    f_flags: flags,
    f_credref: old.record.f_credref,
  });
  editor.insert(edit, at, RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path), { FILE_NAME: path });
  for (const each of members) {
    editor.change(each.edit, record(each), "fd_objref", objref);
    const table = descriptorParts(editor).get(record(each))?.table;
    if (table !== undefined)
      editor.atEnd("order", `definitions of ${table.objref}`, () => keepDefinitions(editor, table));
  }
}

/** What each FILE_LOCK stands behind: its FILE_DESC, and the FILE of that. */
export function lockHolders(
  editor: StreamRecords,
): ReadonlyMap<number, { readonly descriptor: number; readonly objref: number }> {
  return editor.once("holders of locks", () => {
    const all = new Map<number, { readonly descriptor: number; readonly objref: number }>();
    for (const [descriptor, { part }] of descriptorParts(editor)) {
      const objref = editor.image.value(descriptor, RECORDS.FILE_DESC).fd_objref;
      for (const { rule, records } of part.parts)
        if (rule === "lock") for (const record of records) all.set(record, { descriptor, objref });
    }
    return all;
  });
}

/** Puts a copy of a FILE_LOCK behind another descriptor. */
export function moveLock(
  editor: StreamRecords,
  edit: Edit,
  lock: number,
  { origin, fd }: HeldDescriptor,
): void {
  const part = descriptorParts(editor).get(origin.record)?.part;
  const count = part && editor.reader.index(part, RECORDS.FILE_LOCKS);
  if (count === undefined)
    editor.insertBehind(edit, origin.record, RECORDS.FILE_LOCKS, { fd, nr_locks: 1, flags: 0 });
  else editor.change(edit, count, "nr_locks", editor.value(count, RECORDS.FILE_LOCKS).nr_locks + 1);
  editor.insertBehind(edit, count ?? origin.record, RECORDS.FILE_LOCK, editor.value(lock, RECORDS.FILE_LOCK));
}

/** Takes a FILE away, with the socket or the terminal that it alone had; others get what it held for them. */
export function dropOpenFile(editor: StreamRecords, edit: Edit, { id }: OpenFile): void {
  const part = editor.reader.object(id, "FILE");
  if (part === undefined) return;
  const { index } = editor.reader.get(part, RECORDS.FILE);
  const { pipe_objref: pipe, sock_objref: socket, tty_objref: terminal } = editor.value(index, RECORDS.FILE);
  assertNoSharedMemory(editor, part, index);
  if (pipe !== undefined) handPipeOver(editor, part, pipe);
  editor.atEnd("next holder", `contents of ${id}`, () => passContentsOn(editor, edit, part));
  dropObject(editor, edit, part);
  if (socket !== undefined) dropSocket(editor, edit, socket);
  if (terminal !== undefined) dropTerminal(editor, edit, terminal);
}

type Shared = "pipe_objref" | "sock_objref" | "tty_objref";

/** FILEs that have a pipe, a socket or a terminal and are still there. */
function filesWith(editor: StreamRecords, field: Shared, objref: number): Part[] {
  const all = editor.once(`files by ${field}`, () =>
    groupBy([...editor.reader.objects("FILE")], (part) => editor.reader.get(part, RECORDS.FILE).value[field]),
  );
  return (all.get(objref) ?? []).filter((part) => !isDropped(editor, part));
}

function isDropped(editor: StreamRecords, part: Part): boolean {
  return editor.isDropped(part.records[0] ?? 0);
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Errors: EDIT for a memfd whose pages another one needs. */
function assertNoSharedMemory(editor: StreamRecords, part: Part, index: number): void {
  const inodeOf = (each: Part) => editor.reader.find(each, RECORDS.MEMFD)?.value.inode_objref;
  const inode = part.pageArrays.length === 0 ? undefined : inodeOf(part);
  if (inode === undefined) return;
  const all = editor.once("files by memfd", () => groupBy([...editor.reader.objects("FILE")], inodeOf));
  if (all.get(inode)?.some((other) => other !== part && !isDropped(editor, other)) === true)
    throw new EditError(
      "this memfd holds the pages of another one that stays, and crimg does not move them",
      editor.image.place(index),
    );
}

/** The unread bytes stand with the first end in the stream; the next end gets them. */
function handPipeOver(editor: StreamRecords, part: Part, pipe: number): void {
  const content = editor.reader.index(part, RECORDS.PIPE_BUF);
  if (content === undefined) return;
  editor.atEnd("next holder", `pipe ${pipe}`, () => {
    const [next] = filesWith(editor, "pipe_objref", pipe);
    if (next === undefined) return;
    // PIPE_BUF stands behind FILE, and behind all that tells the name of a fifo.
    const before: ReadonlySet<unknown> = new Set([RECORDS.FILE, RECORDS.FILE_NAME, RECORDS.FILE_UNLINKED]);
    editor.handOver(
      content,
      Math.max(...next.records.filter((record) => before.has(editor.image.kind(record)))),
    );
  });
}

/** Takes a socket that no file has any more away with its queues. */
function dropSocket(editor: StreamRecords, edit: Edit, objref: number): void {
  const part = editor.reader.object(objref, "SOCK");
  const index = part && editor.reader.index(part, RECORDS.SOCKET);
  if (part === undefined || index === undefined || editor.isDropped(index)) return;
  if (filesWith(editor, "sock_objref", objref).length > 0) return;
  const queued = part.deferred === undefined ? [] : recordsOf(part.deferred);
  const senders = queued
    .filter((record) => editor.image.kind(record) === RECORDS.SOCKET_BUFFER)
    .map((record) => editor.value(record, RECORDS.SOCKET_BUFFER).sk_objref);
  if (part.deferred !== undefined) dropPart(editor, edit, part.deferred);
  // What it sent is still queued elsewhere: a dead socket stays for it, which has no queues.
  if (isSender(editor, objref))
    editor.change(edit, index, "sock.flags", editor.value(index, RECORDS.SOCKET).sock.flags | SOCK_DEAD);
  else dropObject(editor, edit, part);
  for (const sender of new Set(senders)) if (sender !== objref) dropDeadSocket(editor, edit, sender);
}

/** Whether something that a socket sent is still queued. */
function isSender(editor: StreamRecords, objref: number): boolean {
  const all = editor.once("packets by sender", () => {
    const kind: RecordKind & typeof RECORDS.SOCKET_BUFFER = RECORDS.SOCKET_BUFFER;
    return groupBy([...editor.records(kind)], (record) => editor.image.value(record, kind).sk_objref);
  });
  return all.get(objref)?.some((record) => !editor.isDropped(record)) === true;
}

/** A dead sender goes with the last packet that it sent. */
function dropDeadSocket(editor: StreamRecords, edit: Edit, objref: number): void {
  const part = editor.reader.object(objref, "SOCK");
  const index = part && editor.reader.index(part, RECORDS.SOCKET);
  if (part === undefined || index === undefined || editor.isDropped(index)) return;
  const isDead = (editor.value(index, RECORDS.SOCKET).sock.flags & SOCK_DEAD) !== 0n;
  if (isDead && !isSender(editor, objref)) dropObject(editor, edit, part);
}

/** A terminal stays while a file, a session or the other side has it. */
function dropTerminal(editor: StreamRecords, edit: Edit, objref: number): void {
  const part = editor.reader.object(objref, "TTY");
  const found = part && editor.reader.find(part, RECORDS.TTY);
  if (part === undefined || found === undefined || editor.isDropped(found.index)) return;
  const isOf = (objrefs: ReadonlyMap<number, readonly number[]>): boolean =>
    objrefs.get(objref)?.some((record) => !editor.isDropped(record)) === true;
  const { sessions, sides } = editor.once("users of terminals", () => ({
    sessions: groupBy(
      [...editor.records(RECORDS.SIGNAL)],
      (record) => editor.image.value(record, RECORDS.SIGNAL).tty_objref,
    ),
    sides: groupBy(
      [...editor.records(RECORDS.TTY)],
      (record) => editor.image.value(record, RECORDS.TTY).link_objref,
    ),
  }));
  if (filesWith(editor, "tty_objref", objref).length > 0 || isOf(sessions) || isOf(sides)) return;
  dropObject(editor, edit, part);
  if (found.value.link_objref > 0) dropTerminal(editor, edit, found.value.link_objref);
}
