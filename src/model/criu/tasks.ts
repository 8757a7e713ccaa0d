import type { ImageKind } from "../../formats/criu/image-kind.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { TASK_STATE } from "../../formats/criu/names.js";
import { AddressSpace } from "../../formats/criu/pages.js";
import type { CoreEntry, TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import { FD_TYPES, type FdinfoEntry } from "../../formats/criu/tables/fdinfo.js";
import type { FsEntry } from "../../formats/criu/tables/fs.js";
import type { MmEntry } from "../../formats/criu/tables/mm.js";
import type { PstreeEntry } from "../../formats/criu/tables/pstree.js";
import { enumName } from "../../io/enums.js";
import { MAX_TASK_TIMERS } from "../../io/limits.js";
import { Recent } from "../../io/recent.js";
import type { Value } from "../../schema/message.js";
import type {
  AddressRange,
  Descriptor,
  DescriptorTable,
  FileTable,
  Mapping,
  OpenFile,
  Origin,
  ResourceLimit,
  SignalState,
  Task,
  TaskAttributes,
  TaskState,
  Thread,
  Timer,
} from "../checkpoint.js";
import { lazy } from "../lazy.js";
import type { Memory } from "../memory.js";
import { criuMappings } from "./mappings.js";
import { CORE_HEAD } from "./parts.js";
import { taskEntries } from "./task-entries.js";
import { CriuThread, criuSignals, type RecentThreads } from "./threads.js";
import { criuTimers } from "./timers.js";

/** What a part takes that nothing is stored of. */
const BARE_BYTES = 512;

const STATES = new Set<string>(["alive", "zombie", "stopped", "helper"]);

/** What tasks of one set share while they are built. */
export interface TaskContext {
  readonly set: CriuImageSet;
  readonly files: () => FileTable;
  readonly children: (pid: number) => readonly Task[];
  readonly descriptorTable: (id: number) => DescriptorTable;
  readonly recent: RecentParts;
  readonly recentThreads: RecentThreads;
}

/** A value that was read, which may be undefined; no box when it was not looked at. */
type Box<T> = { readonly is: T } | undefined;

/** What was read and made of a task. */
interface Parts {
  head?: Box<Value<typeof CORE_HEAD> | undefined>;
  core?: Box<CoreEntry | undefined>;
  ids?: Box<TaskKobjIdsEntry | undefined>;
  mm?: Box<MmEntry | undefined>;
  fs?: Box<FsEntry | undefined>;
  mappings?: Mapping[];
  timers?: Timer[];
  signals?: SignalState;
  threads?: Thread[];
}

/** The parts of the tasks of one set that were looked at last. */
export type RecentParts = Recent<CriuTask, Parts>;

export function recentParts(): RecentParts {
  return new Recent(() => ({}));
}

/** A task of the tree; each part is read from its image at the first look at it. */
export class CriuTask implements Task {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly #record: number;
  readonly #context: TaskContext;
  readonly #threadIds: readonly number[];

  constructor(entry: PstreeEntry, record: number, context: TaskContext) {
    this.pid = entry.pid;
    this.ppid = entry.ppid;
    this.pgid = entry.pgid;
    this.sid = entry.sid;
    this.#record = record;
    this.#context = context;
    this.#threadIds = [...new Set(entry.threads)];
  }

  get origin(): Origin {
    return { image: IMAGES.PSTREE.file, record: this.#record };
  }

  get state(): TaskState {
    const state = this.#readHead()?.tc?.task_state;
    const name = state === undefined ? "unknown" : enumName(TASK_STATE, state);
    return STATES.has(name) ? (name as TaskState) : "unknown";
  }

  get exitStatus(): number | undefined {
    return this.state === "zombie" ? this.#readHead()?.tc?.exit_code : undefined;
  }

  get comm(): string {
    return this.#readHead()?.tc?.comm ?? "";
  }

  get threads(): readonly Thread[] {
    const parts = this.#parts;
    parts.threads ??= this.#makeThreads();
    return parts.threads;
  }

  get children(): readonly Task[] {
    return this.#context.children(this.pid);
  }

  get descriptors(): DescriptorTable | undefined {
    const id = this.#readIds()?.files_id;
    return id === undefined ? undefined : this.#context.descriptorTable(id);
  }

  get exe(): OpenFile | undefined {
    return this.#regular(this.#readMm()?.exe_file_id);
  }

  get cwd(): OpenFile | undefined {
    return this.#regular(this.#readFs()?.cwd_id);
  }

  get root(): OpenFile | undefined {
    return this.#regular(this.#readFs()?.root_id);
  }

  get umask(): number | undefined {
    return this.#readFs()?.umask;
  }

  get mappings(): readonly Mapping[] {
    const { set, files } = this.#context;
    const parts = this.#parts;
    parts.mappings ??= criuMappings(set, this.pid, this.#readMm(), files());
    return parts.mappings;
  }

  get timers(): readonly Timer[] {
    const parts = this.#parts;
    parts.timers ??= criuTimers(this.#context.set, this.pid, this.#readCore()?.tc, this.descriptors);
    return parts.timers;
  }

  get signals(): SignalState {
    const parts = this.#parts;
    parts.signals ??= criuSignals(this.#context.set, this.pid, this.#readCore()?.tc);
    return parts.signals;
  }

  get limits(): readonly ResourceLimit[] {
    const stored =
      this.#readCore()?.tc?.rlimits?.rlimits ??
      this.#context.set.records(IMAGES.RLIMIT, this.pid).map(({ value }) => value);
    const limits = taskEntries(this.#context.set, this.pid, "limits", stored);
    return limits.map(({ cur, max }) => ({ soft: cur, hard: max }));
  }

  get attributes(): TaskAttributes {
    const core = this.#readCore()?.tc;
    return {
      oomScoreAdj: core?.oom_score_adj,
      loginUid: core?.loginuid,
      childSubreaper: core?.child_subreaper,
      stopSignal: core?.stop_signo,
      personality: core === undefined ? undefined : BigInt(core.personality),
    };
  }

  get argvArea(): AddressRange | undefined {
    const mm = this.#readMm();
    return mm === undefined ? undefined : { start: mm.mm_arg_start, end: mm.mm_arg_end };
  }

  get environArea(): AddressRange | undefined {
    const mm = this.#readMm();
    return mm === undefined ? undefined : { start: mm.mm_env_start, end: mm.mm_env_end };
  }

  memory(): Memory | undefined {
    return this.state === "zombie" ? undefined : AddressSpace.of(this.#context.set, this.pid);
  }

  #makeThreads(): Thread[] {
    if (this.state === "zombie") return [];
    const { set, recentThreads } = this.#context;
    return this.#threadIds.map((tid) => new CriuThread(set, this.pid, tid, recentThreads));
  }

  get #parts(): Parts {
    return this.#context.recent.of(this);
  }

  #readHead() {
    const { set } = this.#context;
    const parts = this.#parts;
    parts.head ??= this.#read(IMAGES.CORE, () => set.firstPart(IMAGES.CORE, this.pid, CORE_HEAD));
    return parts.head.is;
  }

  #readCore(): CoreEntry | undefined {
    const { set } = this.#context;
    const parts = this.#parts;
    if (parts.core === undefined) {
      parts.core = this.#read(IMAGES.CORE, () => set.first(IMAGES.CORE, this.pid));
      const { tc } = parts.core.is ?? {};
      // Before anything else is made of a record that is too long.
      taskEntries(set, this.pid, "limits", tc?.rlimits?.rlimits ?? []);
      taskEntries(set, this.pid, "signal actions", tc?.sigactions ?? []);
      taskEntries(set, this.pid, "POSIX timers", tc?.timers?.posix ?? [], MAX_TASK_TIMERS);
    }
    return parts.core.is;
  }

  #readIds(): TaskKobjIdsEntry | undefined {
    const parts = this.#parts;
    parts.ids ??= this.#read(
      IMAGES.IDS,
      () => this.#readHead()?.ids ?? this.#context.set.first(IMAGES.IDS, this.pid),
    );
    return parts.ids.is;
  }

  #readMm(): MmEntry | undefined {
    const parts = this.#parts;
    parts.mm ??= this.#read(IMAGES.MM, () => this.#context.set.first(IMAGES.MM, this.pid));
    return parts.mm.is;
  }

  #readFs(): FsEntry | undefined {
    const parts = this.#parts;
    parts.fs ??= this.#read(IMAGES.FS, () => this.#context.set.first(IMAGES.FS, this.pid));
    return parts.fs.is;
  }

  /** Reads an image of the task, which then counts among what is held of it. */
  #read<T>(kind: ImageKind, read: () => T): { readonly is: T } {
    const is = read();
    const size = this.#context.set.image(kind, this.pid)?.source.size ?? 0;
    this.#context.recent.weigh(this, size + BARE_BYTES);
    return { is };
  }

  #regular(id: number | undefined): OpenFile | undefined {
    return id === undefined ? undefined : this.#context.files().get(id, "REG");
  }
}

/** One descriptor table, fdinfo-ID.img; without the file it is empty, as criu reads it. */
export function criuDescriptorTable(set: CriuImageSet, id: number, files: () => FileTable): DescriptorTable {
  const context = { image: `fdinfo-${id}.img`, files };
  const descriptors = lazy(() => {
    const list: CriuDescriptor[] = [];
    for (const { index, value } of set.image(IMAGES.FDINFO, id)?.heldRecords() ?? [])
      list.push(new CriuDescriptor(value, index, context));
    return list;
  });
  return {
    id,
    get descriptors() {
      return descriptors();
    },
  };
}

class CriuDescriptor implements Descriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly type: string;
  readonly fileId: number;
  readonly #record: number;
  readonly #context: { readonly image: string; readonly files: () => FileTable };

  constructor(entry: FdinfoEntry, record: number, context: { image: string; files: () => FileTable }) {
    this.fd = entry.fd;
    this.closeOnExec = (entry.flags & 1) !== 0;
    this.type = enumName(FD_TYPES, entry.type);
    this.fileId = entry.id;
    this.#record = record;
    this.#context = context;
  }

  get file(): OpenFile | undefined {
    return this.#context.files().get(this.fileId, this.type);
  }

  get origin(): Origin {
    return { image: this.#context.image, record: this.#record };
  }
}
