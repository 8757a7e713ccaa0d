import type { UtsNamespace } from "../../model/ipc.js";
import type { Lock } from "../../model/lock.js";
import type { FileIdentity } from "../../model/open-file.js";
import type { Origin } from "../../model/origin.js";
import type { InetEnds, UnixName } from "../../model/socket.js";
import type { Timer } from "../../model/timer.js";
import type { Edit } from "./plan.js";

type Fields = Readonly<Record<string, unknown>>;

/** The objects of the model that edits change, by their kinds. A kind of object is added here and to both encoders. */
export interface Objects {
  readonly lock: Lock;
  readonly ends: InetEnds;
  readonly unix: UnixName;
  readonly identity: FileIdentity;
  readonly uts: UtsNamespace;
  readonly timer: Timer;
  readonly path: PathField;
  readonly comm: TaskName;
  readonly group: GroupMember;
}

/** A field that holds a path of the file system; the origin is what holds the field. */
export interface PathField {
  readonly text: string;
  /** Name of the field. */
  readonly field: string;
  readonly origin: Origin;
}

/** What a path stands for, where it is not simply one. */
export interface PathUse {
  /** Why it is no path, whatever it looks like. */
  readonly noPath?: string;
  /** It may have lost its leading slash. */
  readonly isLoose?: boolean;
  /** The path of the deleted file that comes back from this link or copy. */
  readonly substituteOf?: string | undefined;
}

/** A value in a file of a container engine beside the images, which says what the images say too. */
export interface Fact {
  readonly file: string;
  /** As in `mounts[3].source`. */
  readonly field: string;
  readonly value: string | number;
  /** What stands beside it in the same object. */
  beside(key: string): unknown;
}

/** A file for the root file system of a container. */
export interface RootFile {
  /** Absolute, as seen in the container. */
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** What an edit makes of a fact. */
export interface ChangedFact {
  readonly edit: Edit;
  readonly value: string | number;
}

/** The name of a task or thread. */
export interface TaskName {
  readonly comm: string;
  readonly origin: Origin;
  readonly repeats?: readonly Origin[];
}

/** A cgroups(7) path of a task. */
export interface GroupMember {
  readonly path: string;
  /** Bytes of the path that lie outside of the task's cgroup namespace; undefined where the image does not say. */
  readonly outside: number | undefined;
  readonly origin: Origin;
  /** Where one field holds several: the line. */
  readonly line?: number;
}

/**
 * How a family stores an object: the fields of its record, or of the message inside it that the origin names. Undefined
 * for what it has no number for.
 */
export type Encoders = { readonly [K in keyof Objects]: (object: Objects[K]) => Fields | undefined };
