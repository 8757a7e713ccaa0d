import fs from "node:fs";
import path from "node:path";
import { codecOf } from "./formats/archive/codecs.js";
import { type ContainerFacts, containerFacts } from "./formats/archive/container.js";
import { type Glance, glanceAt } from "./formats/archive/glance.js";
import { packageInDirectory } from "./formats/archive/open.js";
import { FORMS } from "./formats/archive/package.js";
import { isCriuSet } from "./formats/criu/image-set.js";
import { isStream } from "./formats/linux-cr/scan.js";
import { ioError, isCrimgError } from "./io/errors.js";
import { DirectoryFileSet } from "./io/file-set.js";
import { FileSource } from "./io/source.js";

/** Where the kubelet keeps the checkpoints of containers and of pods. */
export const KUBELET_DIRECTORIES = ["/var/lib/kubelet/checkpoints", "/var/lib/kubelet/pod-checkpoints"];

/** A checkpoint that lies in a directory. */
export interface ListedCheckpoint {
  readonly path: string;
  /** In words: `container archive`, `CRIU image set`, `linux-cr stream`. */
  readonly form: string;
  /** `gzip`, `zstd`, `lz4`, `zlib`; absent for what is not compressed. */
  readonly compression?: string | undefined;
  /** Of a file, in bytes. */
  readonly size?: number | undefined;
  readonly modified: Date;
  readonly name?: string | undefined;
  readonly id?: string | undefined;
  readonly image?: string | undefined;
  readonly engine?: string | undefined;
  readonly pod?: string | undefined;
  readonly namespace?: string | undefined;
  readonly checkpointed?: string | undefined;
  /** Why it cannot be read. */
  readonly problem?: string | undefined;
}

/**
 * The checkpoints in a directory, by name: files and directories in it that are one, or the directory or file itself.
 * Others are passed over; of a damaged one the problem is told. Errors: IO, MISSING.
 */
export function* listCheckpoints(place: string): Generator<ListedCheckpoint> {
  let names: string[];
  try {
    if (!fs.statSync(place).isDirectory()) {
      const listed = inPlace(place);
      if (listed !== undefined) yield listed;
      return;
    }
    names = fs.readdirSync(place).sort();
  } catch (error) {
    throw ioError("list", place, error);
  }
  const own = inPlace(place);
  if (own !== undefined) {
    yield own;
    return;
  }
  for (const name of names) {
    const listed = inPlace(path.join(place, name));
    if (listed !== undefined) yield listed;
  }
}

/**
 * Paths of the checkpoints below a directory at any depth, by name. Symbolic links are passed over: what they lead to may
 * be edited, and lies elsewhere.
 * Errors: IO, MISSING.
 */
export function* checkpointsBelow(place: string): Generator<string> {
  if (inPlace(place) !== undefined) {
    yield place;
    return;
  }
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(place, { withFileTypes: true });
  } catch (error) {
    throw ioError("list", place, error);
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(place, entry.name);
    if (entry.isDirectory()) yield* checkpointsBelow(file);
    else if (entry.isFile() && inPlace(file) !== undefined) yield file;
  }
}

/** What lies at a path; undefined for no checkpoint, and for anything but files and directories. */
function inPlace(file: string): ListedCheckpoint | undefined {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  const followed = stat?.isSymbolicLink() ? fs.statSync(file, { throwIfNoEntry: false }) : stat;
  if (followed === undefined || !(followed.isFile() || followed.isDirectory())) return undefined;
  const common = {
    path: file,
    modified: followed.mtime,
    size: followed.isFile() ? followed.size : undefined,
  };
  try {
    const found = followed.isDirectory() ? inDirectory(file) : inFile(file);
    return found && { ...common, ...found };
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return { ...common, form: "damaged", problem: error.message };
  }
}

type Found = Pick<ListedCheckpoint, "form" | "compression"> & Partial<ListedCheckpoint>;

function inDirectory(directory: string): Found | undefined {
  const found = packageInDirectory(directory);
  const [only, ...others] = found?.sets ?? [];
  if (found !== undefined && only !== undefined && found.form !== "sets")
    return {
      form: FORMS[found.form].title,
      ...(others.length === 0 ? factsOf(containerFacts(only)) : {}),
    };
  return isCriuSet(new DirectoryFileSet(directory)) ? { form: "CRIU image set" } : undefined;
}

function inFile(file: string): Found | undefined {
  const source = new FileSource(file);
  try {
    if (isStream(source)) return { form: "linux-cr stream" };
    const found: Glance | undefined = glanceAt(source);
    if (found === undefined) return undefined;
    return {
      form: FORMS[found.form].title,
      compression: codecOf(source)?.name,
      ...(found.facts === undefined ? {} : factsOf(found.facts)),
    };
  } finally {
    source.close();
  }
}

function factsOf({ name, id, image, engine, pod, checkpointed }: ContainerFacts): Partial<ListedCheckpoint> {
  return {
    ...{ name, id, image: image.name ?? image.id, engine: engine?.name },
    ...{ pod: pod?.name ?? pod?.id, namespace: pod?.namespace, checkpointed },
  };
}
