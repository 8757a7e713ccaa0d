import { PipeSource } from "../../io/pipe-source.js";
import type { Document } from "../../model/document.js";
import { compareItems, type Difference } from "./compare.js";
import { type MatchBy, matchTasks } from "./match-tasks.js";
import { diffMemory, type MemoryDifference } from "./memory.js";
import { diffRecords } from "./records.js";
import { SECTIONS, type Section, type SectionName } from "./section.js";
import { DESCRIPTORS } from "./sections/descriptors.js";
import { ENVIRONMENT } from "./sections/environment.js";
import { FILES } from "./sections/files.js";
import { LOCKS } from "./sections/locks.js";
import { MAPPINGS } from "./sections/mappings.js";
import { MOUNTS } from "./sections/mounts.js";
import { NAMESPACES } from "./sections/namespaces.js";
import { SOCKETS } from "./sections/sockets.js";
import { LIMITS, SIGNALS, TIMERS } from "./sections/task-state.js";
import { TASKS } from "./sections/tasks.js";
import { CREDENTIALS, REGISTERS } from "./sections/threads.js";
import { sideOf } from "./side.js";

/** Sections that are compared item by item; memory is compared by pages. */
const ITEM_SECTIONS: readonly Section[] = [
  TASKS,
  DESCRIPTORS,
  FILES,
  MAPPINGS,
  LOCKS,
  SOCKETS,
  CREDENTIALS,
  ENVIRONMENT,
  MOUNTS,
  NAMESPACES,
  TIMERS,
  SIGNALS,
  LIMITS,
  REGISTERS,
];

export interface DiffOptions {
  /** Sections to compare; default all. */
  readonly only?: readonly SectionName[] | undefined;
  readonly matchBy?: MatchBy | undefined;
  /** List the ranges of differing pages, not only their number. */
  readonly pages?: boolean | undefined;
  /** List the differing bytes of changed pages. */
  readonly bytes?: boolean | undefined;
  /** Called with the bytes of mappings compared so far, and in total. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** Differences between two checkpoints, by section in a fixed order. */
export interface CheckpointDiff {
  readonly differences: readonly Difference[];
  readonly memory: readonly MemoryDifference[];
  /** Sections left out: the pages of a piped image are not kept. */
  readonly notCompared?: readonly SectionName[];
}

const NEED_MEMORY: readonly SectionName[] = ["env", "memory"];

/**
 * Compares two checkpoints by meaning: ignores ids that every dump assigns anew, the order of records, and what always
 * differs (vdso and vvar, statistics, run id; see record-fields.ts). Linear in the size of both; memory pages are read
 * only for the section `memory`, and only if both sets have them.
 * Errors: FormatError for a damaged image; UnsupportedError if `only` names the memory of a piped image.
 */
export function diffCheckpoints(left: Document, right: Document, options: DiffOptions = {}): CheckpointDiff {
  const notCompared = options.only === undefined && (isPiped(left) || isPiped(right)) ? NEED_MEMORY : [];
  const wanted = (name: SectionName): boolean =>
    (options.only ?? SECTIONS).includes(name) && !notCompared.includes(name);
  const keys = matchTasks(left.checkpoint, right.checkpoint, options.matchBy ?? "auto");
  const [before, after] = [sideOf(left, keys.left), sideOf(right, keys.right)];
  const differences = ITEM_SECTIONS.filter(({ name }) => wanted(name)).flatMap(({ name, items }) => [
    ...compareItems(name, items(before), items(after)),
  ]);
  if (wanted("records") && left.family === "criu" && right.family === "criu")
    differences.push(...diffRecords(before, after));
  const detail = { ranges: options.pages === true, bytes: options.bytes === true };
  const memory = wanted("memory") ? [...diffMemory(before, after, detail, options.progress)] : [];
  return { differences, memory, ...(notCompared.length > 0 ? { notCompared } : {}) };
}

function isPiped(document: Document): boolean {
  return document.family === "linux-cr" && document.image.source instanceof PipeSource;
}
