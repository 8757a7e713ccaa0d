import fs from "node:fs";
import { BackendError, isCrimgError } from "../../../io/errors.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { readAreas } from "../proc/mappings.js";
import { procLink } from "../proc/read.js";
import { syscallSite } from "../ptrace/guest.js";
import type { Tracee } from "../ptrace/tracee.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import { CLONE_AS_THREAD, clone } from "./clone.js";
import { setCredentials } from "./credentials.js";
import { watchAgain } from "./epoll.js";
import { armTimerFd } from "./files/event-files.js";
import { copyRange } from "./files/memfd.js";
import { openPath } from "./files/named.js";
import { OpenFiles } from "./files/open-files.js";
import { awaitFreeIds } from "./free-ids.js";
import { HandOver } from "./hand-over.js";
import { endHusk, startHusk } from "./husk.js";
import { type Image, type ImageDescriptor, readImage } from "./image.js";
import type { ImageThread } from "./image-task.js";
import { takeLeases, takeLocks } from "./locks.js";
import { assertSameVdso, buildMemory, describeMemory, type MemorySources } from "./memory.js";
import { drainSignals, queueSignal, setActions } from "./signals.js";
import { finishThread, setDeathSignal, setUpThread } from "./thread.js";
import { armTimers, createTimers } from "./timers.js";
import { type Built, buildTree, joinGroups } from "./tree.js";
import { freeHole, Workbench } from "./work-area.js";

const O_PATH_DIRECTORY = 0o10200000;
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const ALL_BLOCKED = Buffer.alloc(8, 0xff);
const TIMERFD = 1001;
const EPOLL = 6;
const SIGSTOP = 19;
const FIRST_HIGH = 3000;

/**
 * Restores the processes of a linux-cr stream. They run once everything of all of them is as it was; before that, whatever
 * fails ends all that was made. Gives the pid of the root. `image`: the path of the stream, a regular file.
 * Errors: BackendError naming the task and what the kernel refused; FormatError for a damaged image.
 */
export function restore(reader: StreamReader, image: string): number {
  const file = fs.openSync(image, "r");
  const restoring = new Restoring(readImage(reader), file);
  try {
    return restoring.run();
  } catch (error) {
    restoring.abandon();
    throw error;
  } finally {
    restoring.close();
    fs.closeSync(file);
  }
}

/** One process under construction. */
interface Site extends Built {
  handOver: HandOver;
  /** Threads after the leader. */
  readonly threads: { readonly bench: Workbench; readonly thread: ImageThread }[];
}

class Restoring {
  readonly #files: OpenFiles;
  readonly #sites: Site[] = [];
  readonly #shared = new Map<number, number>();
  #husk: Tracee | undefined;

  constructor(
    readonly image: Image,
    readonly imageFd: number,
  ) {
    this.#files = new OpenFiles(image.reader, imageFd);
  }

  run(): number {
    this.#makeTasks();
    for (const site of this.#alive) this.#buildProcess(site);
    for (const site of this.#alive) this.#watch(site);
    for (const site of this.#alive) this.#takeLocks(site);
    for (const site of this.#alive) this.#setUpSignals(site);
    for (const site of this.#alive) this.#finish(site);
    const [root] = this.#sites;
    this.#letGo();
    return root?.process.ids.pid ?? 0;
  }

  /** Ends everything that was made. */
  abandon(): void {
    for (const { bench } of [...this.#sites].reverse())
      try {
        endHusk(bench.tracee);
      } catch (error) {
        if (!isCrimgError(error)) throw error;
      }
    if (this.#husk !== undefined) endHusk(this.#husk);
  }

  close(): void {
    this.#files.close();
    for (const fd of this.#shared.values()) attempt(SYS.close, fd);
  }

  get #alive(): Site[] {
    return this.#sites.filter(({ process }) => process.exitStatus === undefined);
  }

  #makeTasks(): void {
    const { image } = this;
    awaitFreeIds(image.processes);
    const spaces = image.processes.flatMap(({ objects }) =>
      objects === undefined ? [] : [image.memory(objects.mm_objref).areas],
    );
    const husk = startHusk();
    this.#husk = husk.tracee;
    husk.tracee.setSignalMask(ALL_BLOCKED);
    const bench = Workbench.establish(husk.tracee, husk.site, freeHole(spaces));
    buildTree(husk, bench, image.processes, (built) => {
      this.#husk = undefined;
      const table = built.process.objects ? image.table(built.process.objects.files_objref) : [];
      const highest = Math.max(0, ...table.map(({ fd }) => fd));
      this.#sites.push({
        ...built,
        handOver: new HandOver(built.bench, Math.max(highest, FIRST_HIGH)),
        threads: [],
      });
    });
    joinGroups(this.#sites);
    for (const { process, bench: own } of this.#sites)
      if (process.exitStatus !== undefined) endAs(own, process.exitStatus);
  }

  #buildProcess(site: Site): void {
    const { process, bench, handOver } = site;
    const { objects } = process;
    if (objects === undefined) return;
    const memory = this.image.memory(objects.mm_objref);
    const sources: MemorySources = {
      image: this.imageFd,
      file: (objref) => this.#files.get(objref),
      shared: (objref) => this.#sharedObject(site, objref),
    };
    buildMemory(bench, handOver, memory, sources);
    assertSameVdso(bench, memory.areas, this.imageFd);
    handOver.lend(this.#files.get(memory.mm.exe_objref), (exe) => describeMemory(bench, memory, exe));
    const { umask, cwd, root } = this.image.fs(objects.fs_objref ?? 0);
    if (root !== procLink("self", "root"))
      throw new BackendError(`task ${process.ids.pid} has the root directory ${root}, which is not restored`);
    const directory = openPath(cwd, O_PATH_DIRECTORY | O_CLOEXEC);
    handOver.lend(directory, (fd) => bench.call("enter its working directory", SYS.fchdir, fd));
    attempt(SYS.close, directory);
    bench.call("set its umask", SYS.umask, umask);
    for (const { fd, objref, closeOnExec } of this.image.table(objects.files_objref))
      handOver.place(this.#files.get(objref), fd, closeOnExec);
    const [leader, ...others] = process.threads;
    if (leader !== undefined) setUpThread(bench, leader);
    for (const thread of others) {
      const own = bench.for(clone(bench, thread.tid, CLONE_AS_THREAD, 0));
      setUpThread(own, thread);
      site.threads.push({ bench: own, thread });
    }
  }

  /** A shared anonymous object by a descriptor of crimg: made in the first task that maps it, filled once. */
  #sharedObject({ bench, process }: Site, objref: number): number {
    const known = this.#shared.get(objref);
    if (known !== undefined) return known;
    const area = this.image.processes
      .flatMap(({ objects }) => (objects === undefined ? [] : this.image.memory(objects.mm_objref).areas))
      .find(({ object, kind }) => object === objref && kind === "shared anonymous");
    if (area === undefined) throw new BackendError(`there is no shared memory ${objref}`);
    const READ_WRITE = 3;
    const SHARED_ANONYMOUS = 0x21;
    const size = area.objectSize;
    const at = bench.call("map shared memory", SYS.mmap, 0, size, READ_WRITE, SHARED_ANONYMOUS, -1, 0);
    const end = at + Math.ceil(size / 4096) * 4096;
    const path = `/proc/${process.ids.pid}/map_files/${at.toString(16)}-${end.toString(16)}`;
    const fd = openPath(path, fs.constants.O_RDWR | O_CLOEXEC);
    bench.call("unmap shared memory", SYS.munmap, at, size);
    const first = this.image.processes
      .flatMap(({ objects }) => (objects === undefined ? [] : this.image.memory(objects.mm_objref).areas))
      .find(({ object, pages }) => object === objref && pages.length > 0);
    for (const { start, end: stop, offset } of first?.pages ?? [])
      copyRange(this.imageFd, offset, fd, start, Math.min(stop, size) - start);
    this.#shared.set(objref, fd);
    return fd;
  }

  #table({ process }: Site): readonly ImageDescriptor[] {
    return process.objects === undefined ? [] : this.image.table(process.objects.files_objref);
  }

  #watch(site: Site): void {
    const table = new Map(this.#table(site).map(({ fd, objref }) => [fd, objref]));
    for (const { fd, objref } of this.#table(site)) {
      if (this.#files.file(objref).value.f_type !== EPOLL || this.#isDone("epoll", objref)) continue;
      watchAgain(site.handOver, this.image.reader, this.#files, { fd, objref }, table);
    }
    site.handOver.end();
  }

  readonly #done = new Set<string>();

  #isDone(what: string, objref: number): boolean {
    const key = `${what} ${objref}`;
    if (this.#done.has(key)) return true;
    this.#done.add(key);
    return false;
  }

  #takeLocks(site: Site): void {
    for (const descriptor of this.#table(site)) takeLocks(site.bench, descriptor);
  }

  #setUpSignals(site: Site): void {
    const { process, bench, threads } = site;
    createTimers(bench, process);
    drainSignals(bench);
    for (const info of process.pending) queueSignal(bench, info, true);
    const [leader] = process.threads;
    for (const { bench: own, thread } of [...(leader ? [{ bench, thread: leader }] : []), ...threads])
      for (const info of thread.pending) queueSignal(own, info, false);
    setActions(bench, process.actions);
    this.#setLimits(site);
  }

  #setLimits({ process }: Site): void {
    for (const [resource, { rlim_cur, rlim_max }] of (process.signal?.rlim ?? []).entries()) {
      const limit = Buffer.alloc(16);
      limit.writeBigUInt64LE(rlim_cur, 0);
      limit.writeBigUInt64LE(rlim_max, 8);
      const now = Buffer.alloc(16);
      attempt(SYS.prlimit64, process.ids.pid, resource, 0, now);
      if (!now.equals(limit))
        call(
          `set limit ${resource} of task ${process.ids.pid}`,
          SYS.prlimit64,
          process.ids.pid,
          resource,
          limit,
          0,
        );
    }
  }

  /** Leases and timers come last: what they have left counts from now on. */
  #finish(site: Site): void {
    const { process, bench, threads } = site;
    const { pid } = process.ids;
    for (const descriptor of this.#table(site))
      takeLeases(bench, descriptor, (flags) => {
        const fd = attempt(
          SYS.openat,
          -100,
          Buffer.from(`/proc/${pid}/fd/${descriptor.fd}\0`),
          flags | O_NONBLOCK | O_CLOEXEC,
        );
        if (fd >= 0) attempt(SYS.close, fd);
      });
    for (const { objref } of this.#table(site))
      if (this.#files.file(objref).value.f_type === TIMERFD && !this.#isDone("timerfd", objref))
        armTimerFd(this.image.reader, this.#files.file(objref), this.#files.get(objref));
    armTimers(bench, process);
    const [leader] = process.threads;
    if (leader === undefined) return;
    const dumpable = Number(this.image.memory(process.objects?.mm_objref ?? 0).mm.flags & 3n);
    for (const { bench: own, thread } of [...threads, { bench, thread: leader }]) {
      setCredentials(own, thread, dumpable);
      setDeathSignal(own, thread);
    }
    for (const { bench: own, thread } of threads) finishThread(own, thread);
    const site2 = syscallSite(bench.tracee, readAreas(pid));
    finishThread(bench, leader, () => bench.remove(site2));
  }

  /** Everything is as it was: they run. */
  #letGo(): void {
    for (const { bench, threads, process } of this.#alive) {
      const all = [bench.tracee, ...threads.map(({ bench: own }) => own.tracee)];
      if (process.isStopped) attempt(SYS.kill, process.ids.pid, SIGSTOP);
      for (const tracee of all) tracee.detach();
    }
  }
}

/** A task that was a zombie becomes one: it ends as it ended. */
function endAs(bench: Workbench, status: number): void {
  const signal = status & 0x7f;
  const { tracee } = bench;
  if (signal === 0) tracee.end(bench.site, SYS.exit_group, (status >> 8) & 0xff);
  else tracee.endBy(signal);
}
