import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { TASK_STOPPED } from "../../linux/sched.js";
import type { ResourceLimit, TaskAttributes } from "../attributes.js";
import type { Task, TaskState, Thread } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import type { Mapping, MemoryDescriptor } from "../mapping.js";
import type { Memory } from "../memory.js";
import type { DescriptorTable, FileTable, OpenFile } from "../open-file.js";
import type { SignalState } from "../signals.js";
import type { Timer } from "../timer.js";
import { decodeLimits, decodeTaskAttributes } from "./attributes.js";
import { decodeDirectories } from "./directories.js";
import { namedPath } from "./files.js";
import { decodeMappings, decodeMm } from "./mappings.js";
import { StreamMemory } from "./memory.js";
import type { Process } from "./pids.js";
import type { StreamReader } from "./reader.js";
import type { Segments } from "./segments.js";
import { decodeActions, decodeQueue } from "./signals.js";
import { linuxCrThread } from "./threads.js";
import { decodeCall, decodeIntervalTimers, decodePosixTimers } from "./timers.js";

/** What the tasks of one stream share while they are built. */
export interface TaskContext {
  readonly reader: StreamReader;
  readonly segments: Segments;
  readonly files: () => FileTable;
  readonly children: (pid: number) => readonly Task[];
  readonly descriptorTable: (id: number) => DescriptorTable | undefined;
  /** Pid of the first task with the address space of that number. */
  readonly firstWith: (memoryRef: number) => number | undefined;
  /** The task that brought a SIGNAL record, by the number of the shared object. */
  readonly signalOwner: (objref: number) => Part | undefined;
}

/** A process: the TASK that leads it and those of its other threads. */
export class LinuxCrTask implements Task {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly state: TaskState;
  readonly exitStatus: number | undefined;
  readonly comm: string;
  readonly origin: Task["origin"];
  readonly #context: TaskContext;
  readonly #part: Part;
  readonly #threadParts: Process["threads"];
  readonly #threads: () => Thread[];
  readonly #mappings: () => Mapping[];

  constructor({ ids, part, threads }: Process, context: TaskContext) {
    const { reader } = context;
    const { index, value } = reader.get(part, RECORDS.TASK);
    this.pid = ids.pid;
    this.ppid = ids.ppid;
    this.pgid = ids.pgid;
    this.sid = ids.sid;
    const isZombie = value.exit_state !== 0;
    this.state = isZombie ? "zombie" : value.state === TASK_STOPPED ? "stopped" : "alive";
    this.exitStatus = isZombie ? value.exit_code : undefined;
    this.comm = reader.text(part, RECORDS.STRING) ?? "";
    this.origin = reader.origin(index);
    this.#context = context;
    this.#part = part;
    this.#threadParts = isZombie ? [] : threads;
    this.#threads = lazy(() =>
      this.#threadParts.map((thread) => linuxCrThread(reader, thread.part, thread.tid)),
    );
    this.#mappings = lazy(() => {
      const mm = this.#mm;
      return mm === undefined ? [] : [...decodeMappings(reader, mm, context.files(), context.segments)];
    });
  }

  get threads(): readonly Thread[] {
    return this.#threads();
  }

  get children(): readonly Task[] {
    return this.#context.children(this.pid);
  }

  /** Number of the shared descriptor table; 0 for a zombie. */
  get filesRef(): number {
    return this.#objects?.files_objref ?? 0;
  }

  /** Number of the address space, which tasks may share; 0 for a zombie. */
  get memoryRef(): number {
    return this.#objects?.mm_objref ?? 0;
  }

  get descriptors(): DescriptorTable | undefined {
    return this.#context.descriptorTable(this.filesRef);
  }

  get exe(): OpenFile | undefined {
    const mm = this.#mm;
    if (mm === undefined) return undefined;
    return this.#context.files().get(this.#reader.get(mm, RECORDS.MM).value.exe_objref);
  }

  get cwd(): OpenFile | undefined {
    return this.#fsFile("cwd") ?? this.#fsPath(0);
  }

  get root(): OpenFile | undefined {
    return this.#fsFile("root") ?? this.#fsPath(1);
  }

  get umask(): number | undefined {
    const fs = this.#fs;
    return fs && decodeDirectories(this.#reader, fs).umask;
  }

  get mappings(): readonly Mapping[] {
    return this.#mappings();
  }

  get timers(): readonly Timer[] {
    const owner = this.#context.signalOwner(this.#objects?.signal_objref ?? 0);
    return [
      ...(owner === undefined ? [] : decodeIntervalTimers(this.#reader, owner)),
      ...decodePosixTimers(this.#reader, this.#part),
      ...this.#threadParts.flatMap(({ part, tid }) => decodeCall(this.#reader, part, tid) ?? []),
    ];
  }

  get signals(): SignalState {
    const handlers = this.#reader.object(this.#objects?.sighand_objref ?? 0, "SIGHAND");
    const owner = this.#context.signalOwner(this.#objects?.signal_objref ?? 0);
    const queue = owner === undefined ? undefined : this.#reader.index(owner, RECORDS.SIGPENDING);
    return {
      actions: handlers === undefined ? [] : decodeActions(this.#reader, handlers),
      pending: queue === undefined ? [] : decodeQueue(this.#reader, queue),
    };
  }

  get limits(): readonly ResourceLimit[] {
    const owner = this.#context.signalOwner(this.#objects?.signal_objref ?? 0);
    return owner === undefined ? [] : decodeLimits(this.#reader, owner);
  }

  get attributes(): TaskAttributes {
    return decodeTaskAttributes(this.#reader, this.#part);
  }

  get mm(): MemoryDescriptor | undefined {
    const mm = this.#mm;
    return mm === undefined ? undefined : decodeMm(this.#reader, mm);
  }

  get memoryOf(): number {
    const { memoryRef } = this;
    return memoryRef === 0 ? this.pid : (this.#context.firstWith(memoryRef) ?? this.pid);
  }

  memory(): Memory | undefined {
    const mm = this.#mm;
    return mm === undefined
      ? undefined
      : new StreamMemory(this.#reader, mm, this.#context.segments, this.pid);
  }

  get #reader(): StreamReader {
    return this.#context.reader;
  }

  get #objects() {
    return this.#reader.find(this.#part, RECORDS.TASK_OBJS)?.value;
  }

  get #mm(): Part | undefined {
    return this.#reader.object(this.memoryRef, "MM");
  }

  get #fs(): Part | undefined {
    return this.#reader.object(this.#objects?.fs_objref ?? 0, "FS");
  }

  /** Directories whose names were gone are open files. */
  #fsFile(which: "cwd" | "root"): OpenFile | undefined {
    const fs = this.#fs;
    return fs && this.#context.files().get(decodeDirectories(this.#reader, fs)[which].objref);
  }

  /** The working directory stands before the root. */
  #fsPath(nth: number): OpenFile | undefined {
    const fs = this.#fs;
    const record = fs === undefined ? undefined : this.#reader.index(fs, RECORDS.FILE_NAME, nth);
    return record === undefined ? undefined : namedPath(this.#reader, record);
  }
}

/** The task that brought each SIGNAL record, by the number of the shared object. */
export function signalOwnersOf(reader: StreamReader): Map<number, Part> {
  const owners = new Map<number, Part>();
  for (const part of reader.tree.tasks) {
    const objects = reader.find(part, RECORDS.TASK_OBJS)?.value;
    if (objects !== undefined && reader.index(part, RECORDS.SIGNAL) !== undefined)
      owners.set(objects.signal_objref, part);
  }
  return owners;
}
