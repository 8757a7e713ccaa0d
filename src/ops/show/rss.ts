import { hex } from "../../io/hex.js";
import type { Task } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import type { Mapping } from "../../model/mapping.js";
import type { Memory, MemoryRun, PageCounts } from "../../model/memory.js";
import { rangeSize, type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface RssView extends ViewHead<"rss"> {
  /** In bytes. */
  readonly pageSize: number;
  readonly tasks: readonly TaskRss[];
}

/** Pages stored in this set, in a parent set, or left in the dumped task for lazy migration. */
export interface TaskRss extends TaskName, PageCounts {
  /** Pages of shared segments count for the mappings, but not for the task. */
  readonly mappings: readonly MappingRss[];
}

export interface MappingRss extends PageCounts {
  readonly start: string;
  readonly end: string;
  readonly size: bigint;
  readonly permissions: string;
  readonly kind: Mapping["kind"];
  readonly name: string;
  /** Only if requested; read lazily, once. */
  readonly runs?: Iterable<PageRun> | undefined;
}

/** Adjacent pages with contiguous contents. */
export interface PageRun {
  readonly start: string;
  readonly end: string;
  readonly pages: number;
  readonly where: "stored" | "parent" | "lazy" | "missing";
}

export interface RssOptions extends ShowOptions {
  /** List every run of pages. */
  readonly runs?: boolean | undefined;
}

/** Stored pages of each mapping. Reads pagemaps, never the pages. */
export function rssView({ checkpoint }: Document, options: RssOptions = {}): RssView {
  const tasks = chosenTasks(checkpoint, options).map((task) =>
    taskRss(task, task.memory(), options.runs === true),
  );
  return { ...viewHead("rss"), pageSize: checkpoint.pageSize, tasks };
}

function taskRss(task: Task, memory: Memory | undefined, withRuns: boolean): TaskRss {
  const total = { stored: 0, inParent: 0, lazy: 0 };
  const mappings = task.mappings.flatMap((mapping): MappingRss[] => {
    const { start, end, permissions, kind, name, shared } = mapping;
    if (kind === "guard" || memory === undefined) return [];
    const counts = memory.count(start, end);
    if (!shared) {
      total.stored += counts.stored;
      total.inParent += counts.inParent;
      total.lazy += counts.lazy;
    }
    const place = { start: hex(start), end: hex(end), size: rangeSize(mapping) };
    return [
      {
        ...{ ...place, permissions, kind, name, ...counts },
        runs: withRuns ? pageRuns(memory, mapping) : undefined,
      },
    ];
  });
  return { ...taskName(task), ...total, mappings };
}

function* pageRuns(memory: Memory, { start, end }: Mapping): Generator<PageRun> {
  const unit = BigInt(memory.pageSize);
  for (const run of memory.runs(start, end)) {
    const where = placeOf(run);
    if (where === undefined) continue;
    const behind = run.address + BigInt(run.pages) * unit;
    yield { start: hex(run.address), end: hex(behind), pages: run.pages, where };
  }
}

/** Undefined for pages without a pagemap entry. */
function placeOf(run: MemoryRun): PageRun["where"] | undefined {
  if (run.where === "file" || run.where === "compressed") return run.level === 0 ? "stored" : "parent";
  if (run.where === "lazy") return "lazy";
  return run.where === "parent-missing" ? "missing" : undefined;
}
