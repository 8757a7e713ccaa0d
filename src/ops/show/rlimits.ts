import { RESOURCE_LIMITS, RLIM_INFINITY } from "../../linux/rlimits.js";
import type { ResourceLimit } from "../../model/attributes.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface RlimitsView extends ViewHead<"rlimits"> {
  readonly tasks: readonly TaskLimits[];
}

export interface TaskLimits extends TaskName {
  readonly limits: readonly ShownLimit[];
}

export interface ShownLimit {
  readonly name: string;
  readonly soft: bigint | "unlimited";
  readonly hard: bigint | "unlimited";
  /** Unit: bytes, seconds, microseconds (`us`), or objects. */
  readonly unit: string;
}

/** Resource limits, getrlimit(2). */
export function rlimitsView({ checkpoint }: Document, options: ShowOptions = {}): RlimitsView {
  const tasks = chosenTasks(checkpoint, options).map((task) => ({
    ...taskName(task),
    limits: task.limits.map(shownLimit),
  }));
  return { ...viewHead("rlimits"), tasks };
}

function shownLimit({ soft, hard }: ResourceLimit, at: number): ShownLimit {
  const [name, unit] = RESOURCE_LIMITS[at] ?? [String(at), ""];
  return { name, soft: limit(soft), hard: limit(hard), unit };
}

function limit(value: bigint): bigint | "unlimited" {
  return value === RLIM_INFINITY ? "unlimited" : value;
}
