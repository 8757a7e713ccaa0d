import { hex } from "../../io/hex.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import type { Mapping } from "../../model/mapping.js";
import { rangeSize, type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface MapsView extends ViewHead<"maps"> {
  readonly tasks: readonly TaskMaps[];
}

export interface TaskMaps extends TaskName {
  readonly exe?: string | undefined;
  /** Bytes of all mappings except guard areas, which are inside of others. */
  readonly mapped: bigint;
  readonly mappings: readonly ShownMapping[];
}

export interface ShownMapping {
  readonly start: string;
  readonly end: string;
  readonly size: bigint;
  readonly permissions: string;
  readonly kind: Mapping["kind"];
  /** Offset in the file in bytes. */
  readonly offset: bigint;
  readonly name: string;
  /** Id of the mapped open file. */
  readonly file?: number | undefined;
  /** Segment of shared memory. */
  readonly shmid?: bigint | undefined;
}

/** The address space of each task, as in proc_pid_maps(5). */
export function mapsView({ checkpoint }: Document, options: ShowOptions = {}): MapsView {
  const tasks = chosenTasks(checkpoint, options).map((task) => ({
    ...taskName(task),
    exe: task.exe?.label,
    mapped: mappedBytes(task.mappings),
    mappings: task.mappings.map(shownMapping),
  }));
  return { ...viewHead("maps"), tasks };
}

export function mappedBytes(mappings: readonly Mapping[]): bigint {
  return mappings.reduce((sum, mapping) => sum + (mapping.kind === "guard" ? 0n : rangeSize(mapping)), 0n);
}

function shownMapping(mapping: Mapping): ShownMapping {
  const { start, end, permissions, kind, offset, name, file, shmid } = mapping;
  return {
    ...{ start: hex(start), end: hex(end), size: rangeSize(mapping), permissions, kind, offset, name },
    ...{ file: file?.id, shmid },
  };
}
