import { BackendError, isCrimgError } from "../../../io/errors.js";
import { VM_WRITE } from "../../../linux/mman.js";
import { isShared } from "../../../model/mapping.js";
import type { FileUser } from "../../backend.js";
import { OpenFiles } from "../files/restored.js";
import { isFileVma } from "../memory/image.js";
import { SharedMemory } from "../memory/shared.js";
import type { ImageProcess } from "../tasks/image.js";
import { endTask, type StubProcess } from "../tasks/stub-process.js";
import { FdTransfer, MIN_HIGH_FD } from "./fd-transfer.js";
import { type Image, liveProcesses } from "./image.js";
import type { Step } from "./plan.js";
import { freeAddress, type RemoteTask } from "./remote-task.js";

/** How a stream is restored; what is not given has a default. */
export interface RestoreOptions {
  /** `same` (default): the ids of the image; `new`: ids that the kernel chooses. */
  readonly pids?: "same" | "new" | undefined;
  /** Restore into a pid namespace made for it, where every id is free. */
  readonly pidns?: boolean | undefined;
  /** Where the times of leases and timers count from: the end of the restart (default), or its start. */
  readonly expiryFrom?: "start" | "end" | undefined;
  /** Whose rights to files count; undefined for those of crimg itself. */
  readonly filesAs?: FileUser | undefined;
  /** Gets a line for every step, without time and line end. */
  readonly log?: ((line: string) => void) | undefined;
  /** Told how many bytes of memory are in place, and how many there will be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** One process under construction. */
interface RestoredTask {
  readonly process: ImageProcess;
  /** Of its first thread. */
  readonly remote: RemoteTask;
  readonly transfer: FdTransfer;
  /** By thread id, the leader's with them. */
  readonly remotes: Map<number, RemoteTask>;
}

/** A restart under way: what was made so far, all of it stopped, and what it is made of. */
export class RestoreContext {
  readonly files: OpenFiles;
  readonly shared: SharedMemory;
  readonly tasks = new Map<number, RestoredTask>();
  /** The process that the root is cloned from, as long as it is there. */
  stub: StubProcess | undefined;
  stubRemote: RemoteTask | undefined;
  /** Tasks that lead a session or group whose leader had ended, by its id. */
  readonly helpers = new Map<number, RemoteTask>();
  readonly #start = process.hrtime.bigint();
  #workAddress: number | undefined;
  #ids: ReadonlySet<number> | undefined;
  /** Bytes of memory that are in place, and that there will be. */
  #filled = 0;
  #toFill: number | undefined;

  constructor(
    readonly image: Image,
    /** The image, open for reading. */
    readonly imageFd: number,
    readonly options: RestoreOptions = {},
  ) {
    this.files = new OpenFiles(image.reader, imageFd, writtenFiles(image), options.filesAs);
    this.shared = new SharedMemory(image, imageFd, (bytes) => this.filled(bytes));
  }

  /** Where tasks work: an address that no address space of the image uses. */
  get workAddress(): number {
    this.#workAddress ??= freeAddress(
      liveProcesses(this.image).map(({ objects }) => this.image.memory(objects.mm_objref).vmas),
    );
    return this.#workAddress;
  }

  /** Ids of all processes and threads of the image. */
  get ids(): ReadonlySet<number> {
    this.#ids ??= new Set(
      this.image.processes.flatMap(({ ids, threads }) => [ids.pid, ...threads.map(({ tid }) => tid)]),
    );
    return this.#ids;
  }

  /** Nanoseconds that are taken off what times have left. */
  get used(): bigint {
    return this.options.expiryFrom === "start" ? process.hrtime.bigint() - this.#start : 0n;
  }

  /** So many bytes of memory more are in place. */
  filled(bytes: number): void {
    if (this.options.onProgress === undefined) return;
    this.#toFill ??= savedBytes(this.image);
    this.#filled += bytes;
    this.options.onProgress(this.#filled, this.#toFill);
  }

  /** A task was made for this process: it can be worked on. `shares`: the one whose table of descriptors it has. */
  add(process: ImageProcess, remote: RemoteTask, shares?: RestoredTask): void {
    const table = process.objects === undefined ? [] : this.image.table(process.objects.files_objref);
    const highest = Math.max(MIN_HIGH_FD, ...table.slice(-1).map(({ fd }) => fd));
    const transfer = shares?.transfer.for(remote) ?? FdTransfer.open(remote, highest);
    this.tasks.set(process.ids.pid, {
      process,
      remote,
      transfer,
      remotes: new Map([[process.ids.pid, remote]]),
    });
  }

  task(pid: number): RestoredTask {
    const task = this.tasks.get(pid);
    if (task === undefined) throw new BackendError(`task ${pid} has not been made`);
    return task;
  }

  /** Where a thread works. */
  remote(pid: number, tid: number): RemoteTask {
    const remote = this.task(pid).remotes.get(tid);
    if (remote === undefined) throw new BackendError(`thread ${tid} of task ${pid} has not been made`);
    return remote;
  }

  /** Ends everything that was made. */
  abandon(): void {
    this.shared.abandon();
    const remotes = [
      ...this.helpers.values(),
      ...[...this.tasks.values()].map(({ remote }) => remote).reverse(),
    ];
    const tracees = remotes.map(({ tracee }) => tracee);
    for (const tracee of [...tracees, ...(this.stub === undefined ? [] : [this.stub.tracee])])
      try {
        endTask(tracee);
      } catch (error) {
        if (!isCrimgError(error)) throw error;
      }
    this.files.terminals.undo();
  }

  /** Closes what crimg had open. */
  close(): void {
    this.files.close();
    this.shared.close();
    for (const { remote } of this.tasks.values()) remote.tracee.closeMemory();
  }
}

/** FILEs that are mapped shared and to be written to. */
function writtenFiles(image: Image): Set<number> {
  const vmas = liveProcesses(image).flatMap(({ objects }) => image.memory(objects.mm_objref).vmas);
  return new Set(
    vmas.flatMap((vma) =>
      isFileVma(vma) && isShared(vma.flags) && (vma.flags & VM_WRITE) !== 0n ? [vma.file] : [],
    ),
  );
}

/** Bytes of all pages of address spaces and shared memory. */
function savedBytes(image: Image): number {
  const vmas = liveProcesses(image).flatMap(({ objects }) => image.memory(objects.mm_objref).vmas);
  const pages = vmas.filter(({ kind }) => kind !== "vdso" && kind !== "vvar").flatMap(({ pages }) => pages);
  return pages.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** How the steps of some kinds are done. Errors: BackendError naming the task and what the kernel refused. */
export type Appliers<S extends Step> = {
  readonly [K in S["kind"]]: (context: RestoreContext, step: Extract<S, { kind: K }>) => void;
};
