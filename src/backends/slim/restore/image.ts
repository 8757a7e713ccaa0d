import { RECORDS } from "../../../formats/linux-cr/records.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import { F_INPROGRESS } from "../../../linux/locks.js";
import type { FileTable } from "../../../model/checkpoint.js";
import { lazy } from "../../../model/lazy.js";
import { linuxCrFiles } from "../../../model/linux-cr/files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { type ImageFilter, ImageFilters } from "./image-filters.js";
import { type ImageMemory, imageMemory } from "./image-memory.js";
import { type ImageProcess, imageProcesses } from "./image-task.js";

/** One descriptor of a table. */
export interface ImageDescriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly objref: number;
  readonly locks: readonly ImageLock[];
}

export interface ImageLock {
  readonly kind: "posix" | "flock" | "ofd" | "lease";
  /** F_RDLCK, F_WRLCK or F_UNLCK; what a lease that is being broken becomes. */
  readonly type: number;
  /** What a lease was before its break. */
  readonly held: number;
  readonly isBreaking: boolean;
  readonly start: bigint;
  /** 0 reaches to the end of the file, as in struct flock. */
  readonly length: bigint;
  /** Seconds until a lease that is being broken is taken away. */
  readonly remaining: number;
}

/** The image as the engine wants it: plain data, read once. */
export interface Image {
  readonly reader: StreamReader;
  /** Parents first. */
  readonly processes: readonly ImageProcess[];
  /** As the header says: `x86_64`. */
  readonly architecture: string;
  /** Open files by the numbers of FILE. */
  readonly files: FileTable;
  /** By the number of MM. */
  memory(objref: number): ImageMemory;
  /** By the number of FILE_TABLE. */
  table(objref: number): readonly ImageDescriptor[];
  /** A SECCOMP_FILTER by its number. */
  filter(ref: number): ImageFilter;
  /** Numbers of the filters of a thread, the oldest first, by that of the last. */
  filterChain(last: number): readonly number[];
  fs(objref: number): ImageFs;
}

export interface ImageFs {
  readonly umask: number;
  readonly cwd: string;
  readonly root: string;
  /** FILE that is the working directory when its name was gone, 0 for none. */
  readonly cwdFile: number;
}

/** A process that had not ended, with the numbers of what it uses. */
export interface LiveProcess {
  readonly process: ImageProcess;
  readonly objects: NonNullable<ImageProcess["objects"]>;
}

/** The processes of an image that had not ended, parents first. */
export function liveProcesses({ processes }: Image): LiveProcess[] {
  return processes.flatMap((process) =>
    process.exitStatus === undefined && process.objects !== undefined
      ? [{ process, objects: process.objects }]
      : [],
  );
}

/** The first process with each table of descriptors: processes that clone(2) made with CLONE_FILES share one. */
export function tableOwners(image: Image): LiveProcess[] {
  const seen = new Set<number>();
  return liveProcesses(image).filter(({ objects: { files_objref } }) => {
    const isNew = !seen.has(files_objref);
    seen.add(files_objref);
    return isNew;
  });
}

const KINDS: Readonly<Record<number, ImageLock["kind"]>> = {
  1: "posix",
  2: "flock",
  32: "lease",
  1025: "ofd",
};

const images = new WeakMap<StreamReader, Image>();

/** Read once, for the check, the plan and the restart. Errors: FormatError for a damaged image. */
export function readImage(reader: StreamReader): Image {
  const image = images.get(reader) ?? imageOf(reader);
  images.set(reader, image);
  return image;
}

function imageOf(reader: StreamReader): Image {
  const processes = lazy(() => imageProcesses(reader));
  const memories = new Map<number, ImageMemory>();
  const tables = new Map<number, readonly ImageDescriptor[]>();
  const filters = new ImageFilters(reader);
  return {
    reader,
    get processes() {
      return processes();
    },
    architecture: reader.image.dialect.arch.name,
    files: linuxCrFiles(reader),
    memory(objref) {
      const memory = memories.get(objref) ?? imageMemory(reader, objref);
      memories.set(objref, memory);
      return memory;
    },
    table(objref) {
      const table = tables.get(objref) ?? descriptorsOf(reader, objref);
      tables.set(objref, table);
      return table;
    },
    filter: (ref) => filters.get(ref),
    filterChain: (last) => filters.chain(last),
    fs(objref) {
      const part = reader.object(objref, "FS");
      if (part === undefined) throw reader.image.error(0, `there is no FS ${objref}`);
      return {
        umask: reader.get(part, RECORDS.FS).value.umask ?? 0,
        cwd: reader.text(part, RECORDS.FILE_NAME) ?? "/",
        root: reader.text(part, RECORDS.FILE_NAME, 1) ?? "/",
        cwdFile: reader.find(part, RECORDS.FS_EXTRA)?.value.cwd_objref ?? 0,
      };
    },
  };
}

function descriptorsOf(reader: StreamReader, objref: number): ImageDescriptor[] {
  const table = reader.object(objref, "FILE_TABLE");
  if (table === undefined) throw reader.image.error(0, `there is no FILE_TABLE ${objref}`);
  return table.parts
    .filter(({ rule }) => rule === "descriptor")
    .map((part) => {
      const { value } = reader.get(part, RECORDS.FILE_DESC);
      const locks = part.parts
        .filter(({ rule }) => rule === "lock")
        .map((lock): ImageLock => {
          const { value: stored } = reader.get(lock, RECORDS.FILE_LOCK);
          return {
            kind: KINDS[stored.fl_flags] ?? "posix",
            type: stored.fl_type & ~F_INPROGRESS,
            held: stored.fl_type_prev & ~F_INPROGRESS,
            isBreaking: (stored.fl_type & F_INPROGRESS) !== 0,
            start: stored.fl_start,
            length: stored.fl_end === OFFSET_MAX ? 0n : stored.fl_end - stored.fl_start + 1n,
            remaining: stored.fl_rem_lease,
          };
        });
      return {
        fd: value.fd_descriptor,
        closeOnExec: value.fd_close_on_exec !== 0,
        objref: value.fd_objref,
        locks,
      };
    })
    .sort((a, b) => a.fd - b.fd);
}
