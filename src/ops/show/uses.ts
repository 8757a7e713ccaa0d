import type { Checkpoint } from "../../model/checkpoint.js";
import type { OpenFile } from "../../model/open-file.js";
import { type Holder, heldBy } from "./holders.js";

/** A task's program, current directory or root, or a file in its address space. */
export interface FileUse {
  readonly pid: number;
  readonly as: "exe" | "cwd" | "root" | "map";
}

/** Uses of open files other than by a descriptor. */
export function usesOf({ tasks }: Checkpoint): (file: OpenFile) => readonly FileUse[] {
  const uses = new Map<OpenFile, FileUse[]>();
  const add = (file: OpenFile | undefined, use: FileUse): void => {
    if (file === undefined) return;
    const list = uses.get(file);
    if (list === undefined) uses.set(file, [use]);
    else list.push(use);
  };
  for (const { pid, exe, cwd, root, mappings } of tasks) {
    add(exe, { pid, as: "exe" });
    add(cwd, { pid, as: "cwd" });
    add(root, { pid, as: "root" });
    for (const file of new Set(mappings.map((mapping) => mapping.file))) add(file, { pid, as: "map" });
  }
  return (file) => uses.get(file) ?? [];
}

/** Whether one of the tasks holds or uses a file; true for all tasks (undefined). */
export function isUsedBy(
  tasks: ReadonlySet<number> | undefined,
  { descriptors, uses }: { readonly descriptors: readonly Holder[]; readonly uses: readonly FileUse[] },
): boolean {
  return heldBy(descriptors, tasks) || uses.some(({ pid }) => tasks?.has(pid));
}
