import { O_APPEND } from "../../linux/open-flags.js";
import type { Checkpoint, Task } from "../../model/checkpoint.js";
import type { OpenFile } from "../../model/open-file.js";

/** An object of the checkpoint that a log line is about. */
export interface LogObject {
  readonly pid: number;
  readonly comm: string;
  /** `fd 4`, `program`, `cwd`, `root`, or the addresses of a mapping; undefined for the task itself. */
  readonly use: string | undefined;
  /** The path or other name of the open file; undefined for the task itself. */
  readonly file: string | undefined;
  /** How the file is open: `read-only, offset 17`. */
  readonly how: string | undefined;
}

/** Clues in a log line; all optional. */
export interface Clues {
  readonly path?: string | undefined;
  readonly pid?: number | undefined;
  readonly fd?: number | undefined;
  readonly fileId?: number | undefined;
  readonly inode?: number | undefined;
}

/** Maximum listed; the log file of 400 tasks may be the same file. */
const MAX_OBJECTS = 16;

const ACCESS = ["read-only", "write-only", "read-write"] as const;

/** The tasks and descriptors that the clues of a log line identify, in the order of the tree. */
export function objectsOf(checkpoint: Checkpoint, clues: Clues): LogObject[] {
  const found: LogObject[] = [];
  for (const object of everyUse(checkpoint, clues)) {
    found.push(object);
    if (found.length === MAX_OBJECTS) break;
  }
  const task = clues.pid === undefined ? undefined : checkpoint.task(clues.pid);
  if (found.length > 0 || task === undefined) return found;
  return [{ pid: task.pid, comm: task.comm, use: undefined, file: undefined, how: undefined }];
}

function* everyUse(checkpoint: Checkpoint, clues: Clues): Generator<LogObject> {
  const wanted = fileTest(checkpoint, clues);
  for (const task of checkpoint.tasks) {
    for (const { fd, file } of task.descriptors?.descriptors ?? [])
      if (file !== undefined && wanted(file)) yield use(task, `fd ${fd}`, file);
    if (task.exe !== undefined && wanted(task.exe)) yield use(task, "program", task.exe);
    if (task.cwd !== undefined && wanted(task.cwd)) yield use(task, "cwd", task.cwd);
    if (task.root !== undefined && wanted(task.root)) yield use(task, "root", task.root);
    for (const { file, start, end } of task.mappings)
      if (file !== undefined && file !== task.exe && wanted(file))
        yield use(task, `${start.toString(16)}-${end.toString(16)}`, file);
  }
}

/** Uses the strongest clue: an inode or a path as in the log, then ids of the set. */
function fileTest(
  checkpoint: Checkpoint,
  { path, pid, fd, fileId, inode }: Clues,
): (file: OpenFile) => boolean {
  if (inode !== undefined) return (file) => file.socket?.inode === inode;
  if (path !== undefined) return (file) => file.path === path || file.socket?.local === path;
  if (fileId !== undefined) return (file) => file.id === fileId;
  const task = pid === undefined || fd === undefined ? undefined : checkpoint.task(pid);
  const file = task?.descriptors?.descriptors.find((descriptor) => descriptor.fd === fd)?.file;
  return (other) => file !== undefined && other === file;
}

function use(task: Task, as: string, file: OpenFile): LogObject {
  const how = as.startsWith("fd ") ? openAs(file) : undefined;
  return { pid: task.pid, comm: task.comm, use: as, file: file.label, how };
}

function openAs({ flags, position, type }: OpenFile): string | undefined {
  if (flags === undefined || type !== "REG") return undefined;
  const access = ACCESS[flags & 3] ?? "read-write";
  if ((flags & O_APPEND) !== 0) return `${access}, append-only`;
  return position === undefined ? access : `${access}, offset ${position}`;
}
