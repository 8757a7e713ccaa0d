import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { TASK_STATE } from "../../formats/criu/names.js";
import { AddressSpace } from "../../formats/criu/pages.js";
import type { CoreEntry, TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import type { FsEntry } from "../../formats/criu/tables/fs.js";
import type { PstreeEntry } from "../../formats/criu/tables/pstree.js";
import { enumName } from "../../io/enums.js";
import { MAX_TASK_TIMERS } from "../../io/limits.js";
import type { Value } from "../../schema/message.js";
import type { ResourceLimit, TaskAttributes } from "../attributes.js";
import type { Task, TaskState, Thread } from "../checkpoint.js";
import type { Mapping, MemoryDescriptor } from "../mapping.js";
import type { Memory } from "../memory.js";
import type { DescriptorTable, FileTable, OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";
import type { SignalState } from "../signals.js";
import type { Timer } from "../timer.js";
import { decodeLimits, decodeTaskAttributes } from "./attributes.js";
import { type Box, boxed, boxedList } from "./box.js";
import { decodeMappings, decodeMm } from "./mappings.js";
import { CORE_HEAD, MM_HEAD } from "./parts.js";
import { decodeActions, decodeTaskQueue } from "./signals.js";
import { taskEntries } from "./task-entries.js";
import { CriuThread } from "./threads.js";
import { decodeIntervalTimers, decodePosixTimers } from "./timers.js";

const STATES = new Set<string>(["alive", "zombie", "stopped", "helper"]);

const NO_SIGNALS: SignalState = { actions: [], pending: [] };

/** What tasks of one set share while they are built. */
export interface TaskContext {
  readonly set: CriuImageSet;
  readonly files: () => FileTable;
  readonly children: (pid: number) => readonly Task[];
  readonly descriptorTable: (id: number) => DescriptorTable;
  /** Threads that lead no task: each is read once, also where a damaged tree names it in 60,000 tasks. */
  readonly threads: Map<number, CriuThread>;
}

/** A task of the tree; each part is read from its image at the first look at it. */
export class CriuTask implements Task {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly #record: number;
  readonly #context: TaskContext;
  /** Undefined for the leader alone. */
  readonly #threadIds: readonly number[] | undefined;
  // What was read is kept in a box, and not in a closure each: a damaged set may name 100,000 tasks.
  #head: Box<Value<typeof CORE_HEAD> | undefined>;
  #core: Box<CoreEntry | undefined>;
  #isMeasured = false;
  #ids: Box<TaskKobjIdsEntry | undefined>;
  #mm: Box<Value<typeof MM_HEAD> | undefined>;
  #fs: Box<FsEntry | undefined>;
  #mappings: Box<Mapping[]>;
  #timers: Box<Timer[]>;
  #signals: SignalState | undefined;
  #threads: Box<Thread[]>;

  constructor(entry: PstreeEntry, record: number, context: TaskContext) {
    this.pid = entry.pid;
    this.ppid = entry.ppid;
    this.pgid = entry.pgid;
    this.sid = entry.sid;
    this.#record = record;
    this.#context = context;
    const { threads } = entry;
    this.#threadIds = threads.length === 1 && threads[0] === entry.pid ? undefined : [...new Set(threads)];
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
    this.#threads ??= boxedList(this.#makeThreads());
    return this.#threads.is;
  }

  get children(): readonly Task[] {
    return this.#context.children(this.pid);
  }

  get descriptors(): DescriptorTable | undefined {
    const id = this.#readIds()?.files_id;
    return id === undefined ? undefined : this.#context.descriptorTable(id);
  }

  get exe(): OpenFile | undefined {
    const id = this.#readMm()?.exe_file_id;
    return this.#regular(id) ?? (id === undefined ? undefined : this.#context.files().get(id, "MEMFD"));
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
    this.#mappings ??= boxedList(decodeMappings(set, this.pid, this.#readMm()?.mm_start_stack, files()));
    return this.#mappings.is;
  }

  get timers(): readonly Timer[] {
    this.#timers ??= boxedList(this.#makeTimers());
    return this.#timers.is;
  }

  get signals(): SignalState {
    this.#signals ??= this.#makeSignals();
    return this.#signals;
  }

  get limits(): readonly ResourceLimit[] {
    return decodeLimits(this.#context.set, this.pid, this.#readCore()?.tc);
  }

  get attributes(): TaskAttributes {
    return decodeTaskAttributes(this.#readCore()?.tc);
  }

  get mm(): MemoryDescriptor | undefined {
    const mm = this.#readMm();
    return mm === undefined ? undefined : decodeMm(mm, this.pid);
  }

  get memoryOf(): number {
    return this.pid;
  }

  memory(): Memory | undefined {
    return this.state === "zombie" ? undefined : AddressSpace.of(this.#context.set, this.pid);
  }

  #makeThreads(): Thread[] {
    if (this.state === "zombie") return [];
    const { set, threads } = this.#context;
    return (this.#threadIds ?? [this.pid]).map((tid) => {
      if (tid === this.pid) return new CriuThread(set, this.pid, tid, () => this.#readWhole());
      const thread = threads.get(tid) ?? new CriuThread(set, this.pid, tid);
      threads.set(tid, thread);
      return thread;
    });
  }

  #makeSignals(): SignalState {
    const { set } = this.#context;
    const core = this.#readCore()?.tc;
    const actions = decodeActions(set, this.pid, core);
    const pending = decodeTaskQueue(set, this.pid, core);
    return actions.length + pending.length === 0 ? NO_SIGNALS : { actions, pending };
  }

  #makeTimers(): Timer[] {
    const { set } = this.#context;
    const core = this.#readCore()?.tc;
    return [...decodeIntervalTimers(set, this.pid, core), ...decodePosixTimers(set, this.pid, core)];
  }

  #readHead() {
    this.#head ??= boxed(this.#context.set.firstPart(IMAGES.CORE, this.pid, CORE_HEAD));
    return this.#head.is;
  }

  #readWhole(): CoreEntry | undefined {
    this.#core ??= boxed(this.#context.set.first(IMAGES.CORE, this.pid));
    return this.#core.is;
  }

  #readCore(): CoreEntry | undefined {
    const core = this.#readWhole();
    if (!this.#isMeasured) {
      this.#isMeasured = true;
      const { set } = this.#context;
      // Before anything else is made of a record that is too long.
      taskEntries(set, this.pid, "limits", core?.tc?.rlimits?.rlimits ?? []);
      taskEntries(set, this.pid, "signal actions", core?.tc?.sigactions ?? []);
      taskEntries(set, this.pid, "POSIX timers", core?.tc?.timers?.posix ?? [], MAX_TASK_TIMERS);
    }
    return core;
  }

  #readIds(): TaskKobjIdsEntry | undefined {
    this.#ids ??= boxed(this.#readHead()?.ids ?? this.#context.set.first(IMAGES.IDS, this.pid));
    return this.#ids.is;
  }

  #readMm() {
    this.#mm ??= boxed(this.#context.set.firstPart(IMAGES.MM, this.pid, MM_HEAD));
    return this.#mm.is;
  }

  #readFs(): FsEntry | undefined {
    this.#fs ??= boxed(this.#context.set.first(IMAGES.FS, this.pid));
    return this.#fs.is;
  }

  #regular(id: number | undefined): OpenFile | undefined {
    return id === undefined ? undefined : this.#context.files().get(id, "REG");
  }
}
