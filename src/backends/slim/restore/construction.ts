import { BackendError, isCrimgError } from "../../../io/errors.js";
import { VM_WRITE } from "../vma-flags.js";
import { OpenFiles } from "./files/open-files.js";
import { HandOver } from "./hand-over.js";
import { endHusk, type Husk } from "./husk.js";
import { type Image, living } from "./image.js";
import type { ImageProcess } from "./image-task.js";
import type { RestoreOptions } from "./options.js";
import { SharedMemory } from "./shared-memory.js";
import { freeHole, type Workbench } from "./work-area.js";

const FIRST_HIGH = 3000;

/** One process under construction. */
export interface Site {
  readonly process: ImageProcess;
  /** Of its first thread. */
  readonly bench: Workbench;
  readonly handOver: HandOver;
  /** By thread id, the leader's with them. */
  readonly benches: Map<number, Workbench>;
}

/** A restart under way: what was made so far, all of it stopped, and what it is made of. */
export class Construction {
  readonly files: OpenFiles;
  readonly shared: SharedMemory;
  readonly sites = new Map<number, Site>();
  /** The process that the root is cloned from, as long as it is there. */
  husk: Husk | undefined;
  huskBench: Workbench | undefined;
  /** Tasks that lead a session or group whose leader had ended, by its id. */
  readonly standIns = new Map<number, Workbench>();
  readonly #start = process.hrtime.bigint();
  #hole: number | undefined;
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
    this.files = new OpenFiles(image.reader, imageFd, writtenFiles(image));
    this.shared = new SharedMemory(image, imageFd, (bytes) => this.filled(bytes));
  }

  /** Where tasks work: an address that no address space of the image uses. */
  get hole(): number {
    this.#hole ??= freeHole(
      living(this.image).map(({ objects }) => this.image.memory(objects.mm_objref).areas),
    );
    return this.#hole;
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
  add(process: ImageProcess, bench: Workbench, shares?: Site): void {
    const table = process.objects === undefined ? [] : this.image.table(process.objects.files_objref);
    const highest = Math.max(FIRST_HIGH, ...table.slice(-1).map(({ fd }) => fd));
    const handOver = shares?.handOver.for(bench) ?? HandOver.open(bench, highest);
    this.sites.set(process.ids.pid, {
      process,
      bench,
      handOver,
      benches: new Map([[process.ids.pid, bench]]),
    });
  }

  site(pid: number): Site {
    const site = this.sites.get(pid);
    if (site === undefined) throw new BackendError(`task ${pid} has not been made`);
    return site;
  }

  /** Where a thread works. */
  bench(pid: number, tid: number): Workbench {
    const bench = this.site(pid).benches.get(tid);
    if (bench === undefined) throw new BackendError(`thread ${tid} of task ${pid} has not been made`);
    return bench;
  }

  /** Ends everything that was made. */
  abandon(): void {
    this.shared.abandon();
    const benches = [
      ...this.standIns.values(),
      ...[...this.sites.values()].map(({ bench }) => bench).reverse(),
    ];
    const tracees = benches.map(({ tracee }) => tracee);
    for (const tracee of [...tracees, ...(this.husk === undefined ? [] : [this.husk.tracee])])
      try {
        endHusk(tracee);
      } catch (error) {
        if (!isCrimgError(error)) throw error;
      }
    this.files.terminals.undo();
  }

  /** Closes what crimg had open. */
  close(): void {
    this.files.close();
    this.shared.close();
    for (const { bench } of this.sites.values()) bench.tracee.closeMemory();
  }
}

/** FILEs that are mapped shared and to be written to. */
function writtenFiles(image: Image): Set<number> {
  const areas = living(image).flatMap(({ objects }) => image.memory(objects.mm_objref).areas);
  return new Set(
    areas.flatMap(({ kind, flags, file }) =>
      kind === "shared file" && (flags & VM_WRITE) !== 0n ? [file] : [],
    ),
  );
}

/** Bytes of all pages of address spaces and shared memory. */
function savedBytes(image: Image): number {
  const areas = living(image).flatMap(({ objects }) => image.memory(objects.mm_objref).areas);
  const pages = areas.filter(({ kind }) => kind !== "vdso" && kind !== "vvar").flatMap(({ pages }) => pages);
  return pages.reduce((sum, { start, end }) => sum + end - start, 0);
}
