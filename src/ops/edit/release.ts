/** What follows when descriptors no longer name their open file: as close(2) would do it. */

import { EditError } from "../../io/errors.js";
import type { Lock } from "../../model/lock.js";
import type { OpenFile } from "../../model/open-file.js";
import type { Socket } from "../../model/socket.js";
import type { EpollWatch } from "../../model/special-file.js";
import type { Editor } from "./editor.js";
import { descriptorsText, descriptorText, type HeldDescriptor, inFlight, isWriter } from "./held-files.js";
import type { Edit } from "./plan.js";

/** The file of a descriptor. Errors: EDIT when another edit has just given it a new one, or the image has none. */
export function fileOf(editor: Editor, descriptor: HeldDescriptor): OpenFile {
  const { file, fileId, origin } = descriptor;
  if (file !== undefined && editor.held.isUnchanged(descriptor)) return file;
  const name = `descriptor ${descriptorText(descriptor)}`;
  throw new EditError(
    file === undefined
      ? `${name} names file ${fileId}, which the image does not have`
      : `${name} has just been given another file; make this edit in a run of its own`,
    editor.placeOf(origin),
  );
}

/** Descriptors of one file let go of it by `change`, which closes them or gives them another one. */
export function release(
  editor: Editor,
  edit: Edit,
  descriptors: readonly HeldDescriptor[],
  change: () => void,
): void {
  const { held, uses } = editor;
  for (const each of descriptors) held.letGo(each);
  change();
  for (const each of descriptors) endLocks(editor, edit, each);
  const [file] = descriptors.map((each) => each.file);
  if (file !== undefined) releaseFiles(editor, edit, file, descriptors);
  editor.atEnd("next holder", "watches", () => {
    for (const epoll of uses.epolls) if (!uses.isGone(epoll)) endWatches(editor, edit, epoll);
  });
}

/**
 * POSIX locks of a table end when it closes any descriptor of their file. The others are the open file's: they stay while a
 * descriptor names it.
 */
function endLocks(editor: Editor, edit: Edit, gone: HeldDescriptor): void {
  const { held } = editor;
  const file = gone.file as OpenFile;
  const end = (lock: Lock): void => {
    editor.dropObject(edit, lock);
    editor.notes.add(`the lock of descriptor ${descriptorText(gone)} goes with it`);
  };
  if (held.locks(file).length === 0) return;
  const name = `${file.type} ${file.id}`;
  editor.once(`POSIX locks of table ${gone.table} on ${name}`, () => {
    for (const lock of held.locks(file))
      if (lock.kind === "posix" && gone.pids.includes(lock.pid) && editor.isHeld(lock)) end(lock);
  });
  editor.atEnd("next holder", `locks on ${name}`, () => {
    const holders = held.holders(file);
    for (const lock of held.locks(file)) {
      if (lock.kind === "posix" || !editor.isHeld(lock)) continue;
      if (holders.length === 0) end(lock);
      else editor.moveLock(edit, lock, holders);
    }
  });
}

/** The restore waits for what the first holder of an epoll instance has under a number, or for a file of the image. */
function endWatches(editor: Editor, edit: Edit, epoll: OpenFile): void {
  const { held, uses } = editor;
  const table = held.holders(epoll)[0]?.table ?? 0;
  const hasEnded = ({ fd, fileId }: EpollWatch): boolean => {
    const file = fileId === undefined ? undefined : held.files.get(fileId);
    return held.hasEnded(table, fd) || (file !== undefined && uses.isGone(file));
  };
  if (editor.dropWatches(edit, epoll, hasEnded))
    editor.notes.add("an epoll descriptor no longer waits for the closed descriptor");
}

/** A file that nothing needs any more goes, and with it what it alone kept. */
function releaseFiles(
  editor: Editor,
  edit: Edit,
  file: OpenFile,
  descriptors: readonly HeldDescriptor[],
): void {
  const { held, uses } = editor;
  const candidates = [file];
  for (const each of candidates) {
    if (uses.isGone(each) || held.isHeld(each)) continue;
    if (uses.isUsed(each) || editor.isNeeded(each)) continue;
    const { node, socket } = each;
    const sent = socket === undefined ? [] : inFlight(socket);
    uses.release(each);
    warnOfPipe(editor, each);
    editor.dropFile(edit, each);
    if (socket !== undefined) hangUp(editor, edit, socket, each === file ? descriptors : []);
    uses.receive(sent);
    if (node !== undefined && node !== each) candidates.push(node);
    candidates.push(...sent.flatMap((id) => held.files.get(id) ?? []));
  }
}

/** The other end of a pipe notices when the last reader or writer is gone. */
function warnOfPipe(editor: Editor, gone: OpenFile): void {
  const ends = editor.uses.leftAlone(gone);
  if (ends.length === 0) return;
  const others = descriptorsText(ends.flatMap((end) => editor.held.holders(end)));
  editor.warnings.add(
    isWriter(gone)
      ? `nothing writes into the pipe any more: ${others} will read end of file`
      : `nothing reads from the pipe any more: ${others} will get SIGPIPE or EPIPE at the next write`,
  );
}

/** The kernel shuts down both directions of a unix stream whose other end is closed. */
function hangUp(editor: Editor, edit: Edit, gone: Socket, descriptors: readonly HeldDescriptor[]): void {
  const { held, uses, warnings } = editor;
  if (gone.state === "ESTABLISHED" && gone.connected)
    warnings.add(
      `the connection behind descriptor ${descriptorsText(descriptors)} is not restored; its peer will meet a reset`,
    );
  if (gone.unix === undefined) return;
  for (const other of uses.takePaired(gone.inode)) {
    const file = uses.fileOf(other);
    if (file !== undefined && uses.isGone(file)) continue;
    const isShutDown = other.type !== "DGRAM";
    editor.hangUp(edit, other, isShutDown);
    const names = file === undefined ? "" : descriptorsText(held.holders(file));
    if (isShutDown)
      warnings.add(
        `the other end of the unix socket is gone: ${names || `socket ${other.inode}`} will read end of file`,
      );
  }
}
