import type { Task } from "../../model/checkpoint.js";
import type { Document } from "../../model/document.js";
import type { OpenFile, PipeBuffer } from "../../model/open-file.js";

/** A comparable value; addresses and masks are `0x…` text. */
export type Comparable = string | number | bigint | boolean | undefined;

/** An object of a checkpoint in a form independent of ids assigned by the dump and of order. */
export interface Item {
  /** Equal in both checkpoints for the same object. */
  readonly key: string;
  /** Second key for objects not paired by key, such as a moved mapping. */
  readonly alias?: string;
  /** Name for the user. */
  readonly label: string;
  readonly fields: Readonly<Record<string, Comparable>>;
  /** Fields that the format may not store: compared only if both images have them. */
  readonly unstated?: readonly string[] | undefined;
}

/** One of the two checkpoints, with names for tasks and files. */
export interface Side {
  readonly document: Document;
  /** Key of a task, equal on both sides. */
  taskKey(pid: number): string;
  tasks(): readonly Task[];
  /** A name of the open file that is independent of its id. */
  fileName(file: OpenFile | undefined): string | undefined;
  /** Contents of the pipe or fifo that the file is an end of. */
  pipe(file: OpenFile): PipeBuffer | undefined;
  /** False for entries that only represent a path: a directory of a task, the node of a fifo, a substitute. */
  isOpenFile(file: OpenFile): boolean;
  /** The first of `holders`. */
  holder(file: OpenFile): string | undefined;
  /** `pid:fd` of all descriptors of the file, in the order of the tree; else `pid:exe`, `pid:cwd`, `pid:root`. */
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

/** Lists the objects of a section, to be compared field by field. */
export interface Section {
  readonly name: SectionName;
  readonly items: (side: Side) => Iterable<Item>;
}

/** An address or mask as `0x…`. */
export function hex(value: number | bigint | undefined): string | undefined {
  return value === undefined ? undefined : `0x${value.toString(16)}`;
}
