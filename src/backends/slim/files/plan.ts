import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { O_ASYNC } from "../../../linux/open-flags.js";
import type { OpenFile } from "../../../model/open-file.js";
import { isFileVma } from "../memory/image.js";
import { type Image, liveProcesses, tableOwners } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import { openedBySessions } from "../terminals/image.js";

/** Opens files in crimg and gives them to tasks. */
export type FileStep =
  | (StepBase & { readonly kind: "file"; readonly objref: number })
  | (StepBase & {
      readonly kind: "descriptor";
      readonly fd: number;
      readonly objref: number;
      readonly closeOnExec: boolean;
    });

/** Opens every file that a task has open, has mapped or is the program of, once. */
export function fileSteps(image: Image): FileStep[] {
  const objrefs = new Set<number>();
  for (const { objects } of liveProcesses(image)) {
    const { exe, vmas } = image.memory(objects.mm_objref);
    objrefs.add(exe);
    for (const vma of vmas) if (isFileVma(vma)) objrefs.add(vma.file);
    for (const { objref } of image.table(objects.files_objref)) objrefs.add(objref);
  }
  objrefs.delete(0);
  // Those appear only with the tasks: the first that has one open opens it.
  for (const objref of objrefs) if (isOfTask(image, objref)) objrefs.delete(objref);
  // A task of its session opens /dev/tty when it has its terminal.
  for (const objref of openedBySessions(image).keys()) objrefs.delete(objref);
  return [...objrefs].map((objref) => ({
    kind: "file",
    task: 0,
    objref,
    what: `open ${fileWords(image, objref)}`,
  }));
}

/** A file of /proc about a task of the image: it is there when the task is, so its first descriptor opens it. */
function isOfTask({ files, processes }: Image, objref: number): boolean {
  const [, pid] = /^\/proc\/(\d+)(?:\/|$)/.exec(files.get(objref)?.path ?? "") ?? [];
  return pid !== undefined && processes.some(({ ids }) => ids.pid === Number(pid));
}

/** Descriptors of the tasks, in ascending order. */
export function descriptorSteps(image: Image): FileStep[] {
  const later = openedBySessions(image);
  return placeSteps(image, (objref) => !later.has(objref));
}

/** The descriptors of those open files that are wanted. */
export function placeSteps(image: Image, isWanted: (objref: number) => boolean): FileStep[] {
  return tableOwners(image).flatMap(({ process, objects }) =>
    image
      .table(objects.files_objref)
      .filter(({ objref }) => isWanted(objref))
      .map(
        ({ fd, objref, closeOnExec }): FileStep => ({
          kind: "descriptor",
          task: process.ids.pid,
          fd,
          objref,
          closeOnExec,
          what: `take descriptor ${fd}: ${fileWords(image, objref)}`,
        }),
      ),
  );
}

const ACCESS = ["to read", "to write", "to read and write", "as a path"];

/** An open file in a few words: its name, what it is open for, where it stands. */
function fileWords({ files }: Image, objref: number): string {
  const file = files.get(objref);
  if (file === undefined) return `FILE ${objref}`;
  const { label, flags, position, deleted } = file;
  const gone = deleted === undefined ? "" : " (deleted)";
  const at = position === undefined || position === 0n ? "" : `, at ${position}`;
  return `${label}${gone} ${ACCESS[(flags ?? 0) & 3]}${at}`;
}

/** File system context of a process, path_resolution(7). */
export type DirectoryStep =
  | (StepBase & { readonly kind: "working directory"; readonly path: string; readonly file: number })
  | (StepBase & { readonly kind: "root directory"; readonly path: string })
  | (StepBase & { readonly kind: "umask"; readonly umask: number });

/** As crimg sees it, whatever its own root directory is. */
const HOST_ROOT = "/";

/** The root first: the working directory of a task may be outside of its root. */
export function directorySteps(image: Image): DirectoryStep[] {
  return liveProcesses(image).flatMap(({ process, objects }): DirectoryStep[] => {
    const task = process.ids.pid;
    const { umask = 0, cwd, root } = image.fs(objects.fs_objref ?? 0);
    return [
      ...(root.path === HOST_ROOT
        ? []
        : [{ kind: "root directory", task, path: root.path, what: `make ${root.path} its root` } as const]),
      {
        kind: "working directory",
        task,
        path: cwd.path,
        file: cwd.objref,
        what: `enter ${cwd.path}${cwd.objref === 0 ? "" : " (deleted)"}`,
      },
      { kind: "umask", task, umask, what: `set its umask to 0${umask.toString(8)}` },
    ];
  });
}

/** What needs the descriptors of all tasks in place. */
export type WatchStep =
  | (StepBase & { readonly kind: "watch"; readonly fd: number; readonly objref: number })
  | (StepBase & { readonly kind: "close fd transfer" });

/** Interest lists of epoll instances, each in the first task that has the instance; then no more descriptors are taken. */
export function watchSteps(image: Image): WatchStep[] {
  const done = new Set<number>();
  const steps: WatchStep[] = [];
  for (const { process, objects } of tableOwners(image))
    for (const { fd, objref } of image.table(objects.files_objref)) {
      if (image.files.get(objref)?.record.f_type !== FILE_TYPE.epoll || done.has(objref)) continue;
      done.add(objref);
      steps.push({ kind: "watch", task: process.ids.pid, fd, objref, what: `fill the epoll instance ${fd}` });
    }
  for (const { process } of tableOwners(image))
    steps.push({
      kind: "close fd transfer",
      task: process.ids.pid,
      what: "end the fd transfer from crimg",
    });
  return steps;
}

/** Who gets SIGIO for a file, F_SETOWN_EX and F_SETSIG of fcntl(2): all tasks exist. */
export type OwnerStep = StepBase & {
  readonly kind: "owner";
  readonly objref: number;
  readonly owner: OpenFile["owner"];
  /** O_ASYNC: whether it gets them now. */
  readonly isAsync: boolean;
};

export function ownerSteps({ files }: Image): OwnerStep[] {
  return files.all.flatMap(({ id, label, owner, flags }): OwnerStep[] => {
    const isAsync = ((flags ?? 0) & O_ASYNC) !== 0;
    if (owner === undefined && !isAsync) return [];
    const signal = owner === undefined || owner.signal === 0 ? "SIGIO" : `signal ${owner.signal}`;
    const whom = owner === undefined || owner.pid === 0 ? "nobody" : `${owner.kind} ${owner.pid}`;
    const what = `send ${signal} of ${label} to ${whom}${isAsync ? "" : ", not yet"}`;
    return [{ kind: "owner", task: 0, objref: id, owner, isAsync, what }];
  });
}

/** FILE.f_type of what the slim backend opens: `OpenFiles` makes each of them. */
const OPENED: ReadonlySet<number> = new Set(Object.values(FILE_TYPE));

/** Open files of kinds that the slim backend cannot make, each once, with a descriptor that leads to it. */
export function unsupportedFiles(image: Image): string[] {
  const seen = new Set<number>();
  return liveProcesses(image).flatMap(({ process: { ids }, objects }) =>
    image.table(objects.files_objref).flatMap(({ fd, objref }) => {
      if (seen.has(objref)) return [];
      seen.add(objref);
      const file = image.files.get(objref);
      const reason = file === undefined ? "is not in the checkpoint" : reasonOf(file);
      return reason === undefined
        ? []
        : [`descriptor ${fd} of task ${ids.pid}: ${file?.label ?? `FILE ${objref}`} ${reason}`];
    }),
  );
}

function reasonOf({ record, type }: OpenFile): string | undefined {
  return OPENED.has(Number(record.f_type))
    ? undefined
    : `has a type (${type}) that the slim backend does not restore`;
}
