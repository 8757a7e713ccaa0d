import type { OpenFile, PipeBuffer, Task } from "../../model/checkpoint.js";
import type { Document } from "../../model/document.js";

/** A value that two checkpoints are compared by; addresses and masks are `0x…` text already. */
export type Comparable = string | number | bigint | boolean | undefined;

/** One thing of a checkpoint in a form that does not depend on renumbered ids or on order. */
export interface Item {
  /** Equal in both checkpoints for the same thing. */
  readonly key: string;
  /** Pairs what is left when keys do not: a mapping that moved, for example. */
  readonly alias?: string;
  /** What a person calls it. */
  readonly label: string;
  readonly fields: Readonly<Record<string, Comparable>>;
  /** Fields that the image has no place for: they are compared only where both images say them. */
  readonly unstated?: readonly string[] | undefined;
}

/** One of the two checkpoints, with the names by which tasks and files are compared. */
export interface Side {
  readonly document: Document;
  /** Stands for the same task on both sides. */
  taskKey(pid: number): string;
  tasks(): readonly Task[];
  /** A name of the open file that survives renumbering. */
  fileName(file: OpenFile | undefined): string | undefined;
  /** What stands in the pipe or fifo that the file is an end of. */
  pipe(file: OpenFile): PipeBuffer | undefined;
  /** False for entries that stand for a path alone: a directory of a task, the node of a fifo, a substitute. */
  isOpenFile(file: OpenFile): boolean;
  /** `pid:fd` of all descriptors that lead to the file, in the order of the tree; else `pid:exe`, `pid:cwd`, `pid:root`. */
  holders(file: OpenFile): readonly string[];
}

export const SECTIONS = [
  "tasks",
  "fds",
  "files",
  "mappings",
  "memory",
  "locks",
  "sockets",
  "creds",
  "env",
  "mounts",
  "namespaces",
  "timers",
  "signals",
  "limits",
  "registers",
  "records",
] as const;

export type SectionName = (typeof SECTIONS)[number];

/** Lists the things of one section; what it yields is compared field by field. */
export interface Section {
  readonly name: SectionName;
  readonly items: (side: Side) => Iterable<Item>;
}

/** An address or mask as `0x…`. */
export function hex(value: number | bigint | undefined): string | undefined {
  return value === undefined ? undefined : `0x${value.toString(16)}`;
}
