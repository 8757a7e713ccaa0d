import { lazy } from "../../../model/lazy.js";
import { decodeDirectories, type StoredDirectories } from "../../../model/linux-cr/directories.js";
import { linuxCrFiles } from "../../../model/linux-cr/files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { FileTable } from "../../../model/open-file.js";
import { descriptorsOf, type ImageDescriptor } from "../files/image.js";
import { type ImageMemory, imageMemory } from "../memory/image.js";
import { type ImageFilter, ImageFilters } from "../seccomp/image.js";
import { type ImageProcess, imageProcesses } from "../tasks/image.js";

/** The image as the slim backend needs it: plain data, read once. */
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
  fs(objref: number): StoredDirectories;
}

/** A process that had not ended, with the numbers of what it uses. */
interface LiveProcess {
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
  const files = linuxCrFiles(reader);
  return {
    reader,
    get processes() {
      return processes();
    },
    architecture: reader.image.dialect.arch.name,
    files,
    memory(objref) {
      const memory = memories.get(objref) ?? imageMemory(reader, objref, files);
      memories.set(objref, memory);
      return memory;
    },
    table(objref) {
      const table = tables.get(objref) ?? descriptorsOf(reader, objref, files);
      tables.set(objref, table);
      return table;
    },
    filter: (ref) => filters.get(ref),
    filterChain: (last) => filters.chain(last),
    fs(objref) {
      const part = reader.object(objref, "FS");
      if (part === undefined) throw reader.image.error(0, `there is no FS ${objref}`);
      return decodeDirectories(reader, part);
    },
  };
}
