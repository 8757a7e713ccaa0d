import { openFlagNames } from "../../linux/open-flags.js";
import type { Task } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import type { Descriptor, OpenFile } from "../../model/open-file.js";
import { type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface FdsView extends ViewHead<"fds"> {
  readonly tasks: readonly TaskFds[];
}

export interface TaskFds extends TaskName {
  /** Id of the descriptor table; undefined for a zombie. */
  readonly table?: number | undefined;
  /** An earlier task that shares the table; the descriptors are shown there. */
  readonly sameAs?: number | undefined;
  readonly descriptors: readonly ShownDescriptor[];
  readonly cwd?: string | undefined;
  readonly root?: string | undefined;
}

export interface ShownDescriptor {
  readonly fd: number;
  readonly type: string;
  /** Id of the open file. */
  readonly id: number;
  readonly closeOnExec: boolean;
  /** Names of the open flags, the access mode first; undefined if there are none. */
  readonly flags?: readonly string[] | undefined;
  /** Offset in bytes. */
  readonly position?: bigint | undefined;
  /** Name of the open file; undefined if missing in the set. */
  readonly file?: string | undefined;
  readonly deleted?: true | undefined;
}

/** Descriptors of each task with its current directory and root. Reads descriptor tables and open files. */
export function fdsView({ checkpoint }: Document, options: ShowOptions = {}): FdsView {
  const shownIn = new Map<number, number>();
  const { architecture } = checkpoint;
  const names = new Map<number, readonly string[]>();
  const flagsOf = ({ flags }: OpenFile): readonly string[] | undefined => {
    if (flags === undefined) return undefined;
    const known = names.get(flags) ?? openFlagNames(flags, architecture);
    names.set(flags, known);
    return known;
  };
  const tasks = chosenTasks(checkpoint, options).map((task): TaskFds => {
    const table = task.descriptors;
    const sameAs = table === undefined ? undefined : shownIn.get(table.id);
    if (table !== undefined && sameAs === undefined) shownIn.set(table.id, task.pid);
    const descriptors = sameAs === undefined ? (table?.descriptors ?? []) : [];
    return {
      ...taskName(task),
      table: table?.id,
      sameAs,
      descriptors: descriptors.map((descriptor) => shownDescriptor(descriptor, flagsOf)),
      ...directories(task),
    };
  });
  return { ...viewHead("fds"), tasks };
}

function directories(task: Task): Pick<TaskFds, "cwd" | "root"> {
  return { cwd: task.cwd?.label, root: task.root?.label };
}

function shownDescriptor(
  { fd, type, fileId, closeOnExec, file }: Descriptor,
  flagsOf: (file: OpenFile) => readonly string[] | undefined,
): ShownDescriptor {
  if (file === undefined) return { fd, type, id: fileId, closeOnExec };
  return {
    fd,
    type,
    id: fileId,
    closeOnExec,
    flags: flagsOf(file),
    position: file.position,
    file: file.label,
    deleted: file.deleted === undefined ? undefined : true,
  };
}
