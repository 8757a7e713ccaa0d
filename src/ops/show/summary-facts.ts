import type { ExtensionFacts, RecordCounts } from "../../formats/linux-cr/own-records.js";
import type { AskedRight } from "../../model/rights/asked.js";
import type { ContainerSummary } from "./container.js";
import type { FieldSurvey } from "./field-survey.js";
import type { Peculiarity } from "./peculiarities.js";
import type { ViewHead } from "./view.js";

/** The image on one screen. A part that cannot be read is undefined, and its problem is listed. */
export interface SummaryView extends ViewHead<"summary"> {
  readonly image: ImageFacts;
  /** Of an image in an archive or directory of a container engine. */
  readonly container?: ContainerSummary | undefined;
  readonly program?: ProgramFacts | undefined;
  readonly checkpoint?: CheckpointFacts | undefined;
  readonly tasks?: TaskFacts | undefined;
  readonly memory?: MemoryFacts | undefined;
  readonly files?: FileFacts | undefined;
  readonly sockets?: SocketFacts | undefined;
  readonly locks?: LockFacts | undefined;
  readonly special?: readonly Peculiarity[] | undefined;
  /** Rights beyond those of the owner; undefined if none. */
  readonly rights?: RightsFacts | undefined;
  readonly problems: readonly string[];
}

export interface ImageFacts {
  readonly name: string;
  readonly format: string;
  /** inventory_entry.img_version; undefined without inventory. */
  readonly version?: number | undefined;
  readonly files: number;
  readonly bytes: number;
}

/** The root of the tree. */
export interface ProgramFacts {
  readonly pid: number;
  readonly comm: string;
  readonly argv: readonly string[];
  readonly exe?: string | undefined;
  readonly cwd?: string | undefined;
}

export interface CheckpointFacts {
  /** Images have no date: the mtime of the named file. */
  readonly time?: string | undefined;
  readonly timeOf?: string | undefined;
  /** What the image cannot be newer than, though that file is. */
  readonly notAfter?: { readonly time: string; readonly what: string } | undefined;
  readonly architecture: string;
  readonly pageSize: number;
  /** CRIU release by the fields; undefined for other formats. */
  readonly criu?: FieldSurvey | undefined;
  /** Release and version of the kernel, and the revision of the format, if stored. */
  readonly kernel?: string | undefined;
  readonly revision?: string | undefined;
  /** Records of a stream that only crimg writes, by name, and its crimg extension records. */
  readonly dialect?: RecordCounts | undefined;
  readonly extensions?: ExtensionFacts | undefined;
  readonly runId?: string | undefined;
  /** Time since boot of the host; `uptime` is the same, and an older name. */
  readonly uptimeNs?: bigint | undefined;
  readonly uptime?: bigint | undefined;
  /** Time for which the tasks were frozen; `frozen` is an older name, in microseconds. */
  readonly frozenNs?: bigint | undefined;
  readonly frozen?: number | undefined;
}

export interface TaskFacts {
  readonly total: number;
  readonly threads: number;
  readonly zombies: number;
  readonly stopped: number;
}

/** In bytes. */
export interface MemoryFacts {
  readonly mapped: bigint;
  /** Contents in this set, private and of shared segments. */
  readonly stored: number;
  readonly shared: number;
  readonly inParent: number;
  readonly lazy: number;
  /** Size of the pages files. */
  readonly pagesFiles: number;
}

export interface FileFacts {
  readonly open: number;
  readonly descriptors: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly deleted: number;
}

export interface SocketFacts {
  readonly total: number;
  readonly byFamily: Readonly<Record<string, number>>;
  readonly listening: number;
  readonly connected: number;
}

export interface LockFacts {
  readonly byKind: Readonly<Record<string, number>>;
  readonly breakingLeases: number;
}

export interface RightsFacts {
  readonly owner: string;
  readonly asked: readonly AskedRight[];
}
