import fs from "node:fs";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import { O_DIRECTORY } from "../../../../linux/open-flags.js";
import type { OpenFileState } from "../descriptions.js";
import { isGone, plainName } from "../file-kind.js";
import type { ProcessState } from "../process.js";
import type { DeletedInode } from "../substitutes.js";
import type { CheckpointContext } from "./context.js";
import { writeUnlinked, writeUnlinkedExtra } from "./deleted.js";
import { watchedFiles } from "./epoll.js";
import { writeFile } from "./file.js";
import { fileMode } from "./file-mode.js";
import { writeIdentity } from "./identity.js";
import { writeLocks } from "./locks.js";

/** FILE.f_type of what is opened by its name. */
const NAMED = 1;

/** FILE_TABLE, the descriptors with the files that are new, their locks, then what was put off to the end. */
export function writeFileTable(context: CheckpointContext, pid: number, objref: number): void {
  const { writer, files } = context;
  const held = files.of(pid);
  const outer = context.deferred;
  context.deferred = [];
  context.tableRef = objref;
  // No object may stand between what was put off.
  for (const { file } of held) writeWatchedFiles(context, file, new Set(held.map((each) => each.file)));
  writer.record(RECORDS.FILE_TABLE, { fdt_nfds: held.length });
  for (const each of held) {
    const { fd, closeOnExec, file } = each;
    const fileRef = context.ref("FILE", file.id, (objref) => writeFile(context, file, objref));
    writer.record(RECORDS.FILE_DESC, {
      fd_objref: fileRef,
      fd_descriptor: fd,
      fd_close_on_exec: Number(closeOnExec),
    });
    writeLocks(context, pid, each, fileRef);
  }
  // What is put off may put off more.
  // What is put off meanwhile is appended, and met by this loop.
  for (const next of context.deferred) next();
  context.deferred = outer;
}

/** FILE of all that an epoll instance watches and that is not in its table: another process has it. */
function writeWatchedFiles(context: CheckpointContext, file: OpenFileState, known: Set<OpenFileState>): void {
  for (const watched of watchedFiles(context, file)) {
    if (known.has(watched)) continue;
    known.add(watched);
    context.ref("FILE", watched.id, (objref) => writeFile(context, watched, objref));
    writeWatchedFiles(context, watched, known);
  }
}

/** FS: the working and the root directory by their paths; a working directory whose name is gone is a FILE besides. */
export function writeFs(context: CheckpointContext, { cwd, root, frozen }: ProcessState): void {
  const { writer } = context;
  const link = `/proc/${frozen.stat.pid}/cwd`;
  const stat = fs.statSync(link, { bigint: true });
  const isDeleted = isGone(cwd, stat);
  const name = isDeleted ? plainName(cwd) : cwd;
  // The object stands before the record that needs it.
  const cwdRef = isDeleted ? writeDeletedDirectory(context, { stat, path: name, link }) : 0;
  writer.record(RECORDS.FS, { umask: frozen.status.umask });
  for (const path of [name, root]) writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path));
  if (isDeleted) writer.record(RECORDS.FS_EXTRA, { cwd_objref: cwdRef, cwd_mode: Number(stat.mode) });
}

function writeDeletedDirectory(context: CheckpointContext, inode: DeletedInode): number {
  const { stat, path } = inode;
  return context.ref("FILE", `directory ${stat.dev}:${stat.ino} ${path}`, (objref) => {
    context.writer.record(RECORDS.FILE, {
      f_type: NAMED,
      f_mode: fileMode(O_DIRECTORY, true),
      f_flags: O_DIRECTORY,
      f_credref: context.cred,
    });
    context.writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path));
    writeUnlinked(context, objref, inode);
    writeIdentity(context, objref, stat, undefined);
    writeUnlinkedExtra(context, objref, inode);
  });
}
