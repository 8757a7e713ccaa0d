import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { TASK_STATE } from "../../formats/criu/names.js";
import { FD_TYPES, type FdinfoEntry } from "../../formats/criu/tables/fdinfo.js";
import type { PstreeEntry } from "../../formats/criu/tables/pstree.js";
import { enumName } from "../../schema/enums.js";
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
  TaskState,
  Thread,
  Timer,
} from "../checkpoint.js";
import { lazy } from "../lazy.js";
import { criuMappings } from "./mappings.js";
import { CORE_HEAD } from "./parts.js";
import { criuSignals, criuThread } from "./threads.js";
import { criuTimers } from "./timers.js";

const STATES = new Set<string>(["alive", "zombie", "stopped", "helper"]);

/** What tasks of one set share while they are built. */
export interface TaskContext {
  readonly set: CriuImageSet;
  readonly files: () => FileTable;
  readonly children: (pid: number) => readonly Task[];
  readonly descriptorTable: (id: number) => DescriptorTable;
}

/** A task of the tree; each part is read from its image at the first look at it. */
export class CriuTask implements Task {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly origin: Task["origin"];
  readonly #context: TaskContext;
  readonly #threadIds: readonly number[];
  readonly #head;
  readonly #core;
  readonly #ids;
  readonly #mm;
  readonly #fs;
  readonly #mappings: () => Mapping[];
  readonly #timers: () => Timer[];
  readonly #signals: () => SignalState;
  readonly #threads: () => Thread[];

  constructor(entry: PstreeEntry, record: number, context: TaskContext) {
    const { set } = context;
    this.pid = entry.pid;
    this.ppid = entry.ppid;
    this.pgid = entry.pgid;
    this.sid = entry.sid;
    this.origin = { image: IMAGES.PSTREE.file, record };
    this.#context = context;
    this.#threadIds = entry.threads;
    this.#head = lazy(() => set.firstPart(IMAGES.CORE, this.pid, CORE_HEAD));
    this.#core = lazy(() => set.first(IMAGES.CORE, this.pid));
    this.#ids = lazy(() => this.#head()?.ids ?? set.first(IMAGES.IDS, this.pid));
    this.#mm = lazy(() => set.first(IMAGES.MM, this.pid));
    this.#fs = lazy(() => set.first(IMAGES.FS, this.pid));
    this.#mappings = lazy(() => criuMappings(set, this.pid, this.#mm(), context.files()));
    this.#timers = lazy(() => criuTimers(set, this.pid, this.#core()?.tc, this.descriptors));
    this.#signals = lazy(() => criuSignals(set, this.pid, this.#core()?.tc));
    this.#threads = lazy(() =>
      this.state === "zombie" ? [] : this.#threadIds.map((tid) => criuThread(set, this.pid, tid)),
    );
  }

  get state(): TaskState {
    const state = this.#head()?.tc?.task_state;
    const name = state === undefined ? "unknown" : enumName(TASK_STATE, state);
    return STATES.has(name) ? (name as TaskState) : "unknown";
  }

  get exitStatus(): number | undefined {
    return this.state === "zombie" ? this.#head()?.tc?.exit_code : undefined;
  }

  get comm(): string {
    return this.#head()?.tc?.comm ?? "";
  }

  get threads(): readonly Thread[] {
    return this.#threads();
  }

  get children(): readonly Task[] {
    return this.#context.children(this.pid);
  }

  get descriptors(): DescriptorTable | undefined {
    const id = this.#ids()?.files_id;
    return id === undefined ? undefined : this.#context.descriptorTable(id);
  }

  get exe(): OpenFile | undefined {
    return this.#regular(this.#mm()?.exe_file_id);
  }

  get cwd(): OpenFile | undefined {
    return this.#regular(this.#fs()?.cwd_id);
  }

  get root(): OpenFile | undefined {
    return this.#regular(this.#fs()?.root_id);
  }

  get umask(): number | undefined {
    return this.#fs()?.umask;
  }

  get mappings(): readonly Mapping[] {
    return this.#mappings();
  }

  get timers(): readonly Timer[] {
    return this.#timers();
  }

  get signals(): SignalState {
    return this.#signals();
  }

  get limits(): readonly ResourceLimit[] {
    const stored =
      this.#core()?.tc?.rlimits?.rlimits ??
      this.#context.set.records(IMAGES.RLIMIT, this.pid).map(({ value }) => value);
    return stored.map(({ cur, max }) => ({ soft: cur, hard: max }));
  }

  get argvArea(): AddressRange | undefined {
    const mm = this.#mm();
    return mm === undefined ? undefined : { start: mm.mm_arg_start, end: mm.mm_arg_end };
  }

  get environArea(): AddressRange | undefined {
    const mm = this.#mm();
    return mm === undefined ? undefined : { start: mm.mm_env_start, end: mm.mm_env_end };
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
    for (const { index, value } of set.image(IMAGES.FDINFO, id)?.readRecords() ?? [])
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
