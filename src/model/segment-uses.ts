import type { Task } from "./checkpoint.js";
import { mappingAt } from "./mapping.js";
import type { SegmentArea } from "./memory.js";

/** A mapping that shows a segment of shared memory, or part of it. */
export interface SegmentUse extends SegmentArea {
  readonly pid: number;
  readonly comm: string;
  /** Of the mapping. */
  readonly name: string;
  readonly permissions: string;
}

/** Segments of shared memory by number, with the mappings that show them. Errors: FormatError. */
export function segmentUses(tasks: readonly Task[]): Map<number, SegmentUse[]> {
  const uses = new Map<number, SegmentUse[]>();
  for (const task of tasks) {
    const { pid, comm } = task;
    for (const area of task.memory()?.segments ?? []) {
      const { name = "", permissions = "" } = mappingAt(task.mappings, area.start) ?? {};
      const use = { ...area, pid, comm, name, permissions };
      const list = uses.get(area.segment);
      if (list === undefined) uses.set(area.segment, [use]);
      else list.push(use);
    }
  }
  return uses;
}
