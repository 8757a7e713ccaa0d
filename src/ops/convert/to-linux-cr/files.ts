import { UnsupportedError } from "../../../io/errors.js";
import type { Context } from "./context.js";

/** FILE object of an open file, by criu's id of it; at its first use its records are written. */
export function writeFile(context: Context, fileId: number): number {
  throw new UnsupportedError(`file ${fileId} cannot be converted yet`, { file: context.set.name });
}

/** FILE_TABLE object of fdinfo-`filesId`.img, the descriptor table of task `pid`. */
export function writeFileTable(context: Context, pid: number, filesId: number): number {
  return context.ref("FILE_TABLE", filesId, () => {
    throw new UnsupportedError(`descriptor table ${filesId} of task ${pid} cannot be converted yet`);
  });
}

/** FS object of a task: umask, working directory, root. */
export function writeFs(context: Context, pid: number): number {
  return context.ref("FS", pid, () => {
    throw new UnsupportedError(`directories of task ${pid} cannot be converted yet`);
  });
}

/** TTY object of the controlling terminal of a session; 0 when it has none. */
export function writeTerminalOfSession(_context: Context, _sid: number): number {
  return 0;
}

/** The three IPC lists behind IPC_NS; the numbers of segments become `context.hidden("INODE", "sysv SHMID")`. */
export function writeIpcLists(context: Context, nsId: number): void {
  throw new UnsupportedError(`SysV objects of namespace ${nsId} cannot be converted yet`, {
    file: context.set.name,
  });
}
