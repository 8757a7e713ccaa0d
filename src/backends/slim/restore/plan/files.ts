import { type Image, liveProcesses, tableOwners } from "../image.js";
import { openedBySessions } from "./session-terminals.js";
import type { StepBase } from "./step.js";

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
    const { mm, vmas } = image.memory(objects.mm_objref);
    objrefs.add(mm.exe_objref);
    for (const { kind, file } of vmas)
      if (kind === "private file" || kind === "shared file") objrefs.add(file);
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
