import { hex } from "../../io/hex.js";
import type { Checkpoint, Task } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import type { Mapping, MappingKind } from "../../model/mapping.js";
import type { Memory, MemoryRun } from "../../model/memory.js";
import { segmentUses } from "../../model/segment-uses.js";

/** Pages by what the image has of them. */
export interface MemoryCounts {
  /** In the image itself. */
  readonly stored: number;
  /** Found in a parent set. */
  readonly inParent: number;
  /** Left in the dumped task for a lazy migration. */
  readonly lazy: number;
  /** A parent set should have them and has not. */
  readonly missing: number;
  /** Never touched, or all zeros. */
  readonly zero: number;
  /** Contents of mapped files and memory of the kernel, which images do not have. */
  readonly elsewhere: number;
}

export interface MemoryView {
  /** In bytes. */
  readonly pageSize: number;
  /** All that is listed below, shared memory once. */
  readonly total: MemoryCounts;
  readonly tasks: readonly TaskMemory[];
  readonly segments: readonly SegmentMemory[];
}

/** Of one task: its counts are without the mappings of shared memory, which `segments` has. */
export interface TaskMemory extends MemoryCounts {
  readonly pid: number;
  readonly comm: string;
  /** Pid of the task with the same address space that is listed before; its own mappings are left out then. */
  readonly sharesWith: number | undefined;
  readonly mappings: readonly MappingMemory[];
}

export interface MappingMemory extends MemoryCounts {
  readonly start: string;
  readonly end: string;
  readonly size: bigint;
  readonly permissions: string;
  readonly kind: MappingKind | number;
  readonly name: string;
  readonly shared: boolean;
}

/** Memory that tasks share; it is stored once. */
export interface SegmentMemory extends MemoryCounts {
  readonly segment: number;
  readonly name: string;
  readonly mappedBy: readonly { readonly pid: number; readonly start: string }[];
}

/**
 * What an image has of the memory of tasks (all, or `pids`), by task and mapping. Pagemaps are read, those of parent sets
 * too; pages are not. Errors: FormatError for damage, NotFoundError for a pid that is not there.
 */
export function memoryView(
  { checkpoint }: Document,
  options: { readonly pids?: readonly number[] | undefined } = {},
): MemoryView {
  const chosen = chosenTasks(checkpoint, options);
  const first = new Map<number, number>();
  const tasks = chosen.map((task) => {
    const sharesWith = first.get(task.memoryOf);
    if (sharesWith === undefined) first.set(task.memoryOf, task.pid);
    return taskMemory(task, sharesWith);
  });
  const segments = segmentMemory(checkpoint, options.pids === undefined ? undefined : chosen);
  return {
    pageSize: checkpoint.pageSize,
    total: sum([...tasks, ...segments]),
    tasks,
    segments,
  };
}

function taskMemory(task: Task, sharesWith: number | undefined): TaskMemory {
  const memory = sharesWith === undefined ? task.memory() : undefined;
  const mappings = task.mappings.flatMap((mapping) =>
    mapping.kind === "guard" || memory === undefined ? [] : mappingMemory(mapping, memory),
  );
  const own = sum(mappings.filter(({ shared }) => !shared));
  return { pid: task.pid, comm: task.comm, sharesWith, ...own, mappings };
}

function mappingMemory(mapping: Mapping, memory: Memory): MappingMemory {
  const { start, end, permissions, kind, name, shared } = mapping;
  const counts = count(memory.runs(start, end));
  const size = end > start ? end - start : 0n;
  return { start: hex(start), end: hex(end), size, permissions, kind, name, shared, ...counts };
}

/** All segments, or those that some tasks map. */
function segmentMemory(checkpoint: Checkpoint, tasks: readonly Task[] | undefined): SegmentMemory[] {
  const uses = segmentUses(tasks ?? checkpoint.tasks);
  const found: SegmentMemory[] = [];
  for (const { segment, pages } of checkpoint.storedMemory()) {
    if (segment === undefined) continue;
    const mappedBy = uses.get(segment) ?? [];
    if (tasks !== undefined && mappedBy.length === 0) continue;
    found.push({
      segment,
      name: mappedBy[0]?.name ?? "",
      ...count(pages().runs()),
      mappedBy: mappedBy.map(({ pid, start }) => ({ pid, start: hex(start) })),
    });
  }
  return found;
}

function count(runs: Iterable<MemoryRun>): MemoryCounts {
  const counts = none();
  for (const run of runs) counts[columnOf(run)] += run.pages;
  return counts;
}

function columnOf(run: MemoryRun): keyof MemoryCounts {
  switch (run.where) {
    case "file":
    case "compressed":
      return run.level === 0 ? "stored" : "inParent";
    case "parent-missing":
      return "missing";
    case "absent":
      return "elsewhere";
    default:
      return run.where;
  }
}

function sum(all: readonly MemoryCounts[]): MemoryCounts {
  const total = none();
  for (const counts of all)
    for (const column of Object.keys(total) as (keyof MemoryCounts)[]) total[column] += counts[column];
  return total;
}

function none(): Record<keyof MemoryCounts, number> {
  return { stored: 0, inParent: 0, lazy: 0, missing: 0, zero: 0, elsewhere: 0 };
}
