import { IMAGES } from "../../../formats/criu/images.js";
import type { MntEntry } from "../../../formats/criu/tables/mnt.js";
import { O_DIRECTORY, O_NOFOLLOW } from "../../../linux/open-flags.js";
import type { OpenFile } from "../../../model/open-file.js";
import { type ImageContext, SetContext } from "../context.js";
import { holders } from "../descriptors.js";
import type { Place } from "../finding.js";
import { filesByType } from "../references/source.js";

/** A regular-file entry that restore will open by its path. */
export interface OpenedFile {
  readonly file: OpenFile;
  /** As the image names it. */
  readonly path: string;
  /** Where it is looked for below the root: another path than `path` where a mount of the same file system shows it. */
  readonly place: string;
  readonly at: Place;
  /** Restore opens what a symbolic link at the end of the path leads to, not the link itself. */
  readonly followLast: boolean;
  /** Restore needs a directory there. */
  readonly isDirectory: boolean;
  /** The task runs or maps it as a program. */
  readonly isProgram: boolean;
}

const PROC = /^\/proc(\/|$)/;
/** A pseudo terminal, which restore makes anew, or takes from the shell that restores. */
const PTS = /^\/dev\/pts\/\d+$/;
const DEV = /^\/dev(\/|$)/;

/**
 * The files that restore opens by path and that must be below the root: not those that had been deleted, not those of
 * /proc, not pseudo terminals, not those on mounts whose contents restore brings along.
 */
export function openedFiles(context: ImageContext): readonly OpenedFile[] {
  const { checkpoint } = context;
  const programs = new Set<OpenFile | undefined>();
  const directories = new Set<OpenFile | undefined>();
  const users = new Map<OpenFile, number>();
  for (const task of checkpoint.tasks) {
    for (const file of [task.cwd, task.root]) if (file !== undefined) directories.add(file);
    const mapped = task.mappings.flatMap(({ file }) => file ?? []);
    for (const { file, permissions } of task.mappings) if (permissions[2] === "x") programs.add(file);
    programs.add(task.exe);
    for (const file of [task.exe, task.cwd, task.root, ...mapped])
      if (file !== undefined && !users.has(file)) users.set(file, task.pid);
  }
  const links = new Set(checkpoint.deletedFiles.map(({ keptIn }) => keptIn));
  const place = context.share(mountPlaces);
  return [...byName(context, directories)].flatMap((file) => {
    const { path } = file;
    if (path === undefined || file.deleted !== undefined || links.has(path)) return [];
    if (PROC.test(path) || PTS.test(path)) return [];
    const where = place(file.record.mnt_id as number | undefined, path);
    if (where === undefined) return [];
    const held = context.share(holders).get(file);
    return {
      file,
      path,
      place: where,
      at: { ...file.origin, pid: held?.pid ?? users.get(file), fd: held?.descriptor.fd, path },
      followLast: ((file.flags ?? 0) & O_NOFOLLOW) === 0,
      isDirectory: directories.has(file) || ((file.flags ?? 0) & O_DIRECTORY) !== 0,
      isProgram: programs.has(file) || file.buildId !== undefined,
    };
  });
}

/** Files with a path of their own. In a stream fifos have one too, and directories of tasks are no open files. */
function byName(
  context: ImageContext,
  directories: ReadonlySet<OpenFile | undefined>,
): ReadonlySet<OpenFile> {
  const types = context.share(filesByType);
  const regular = types.get("REG") ?? [];
  if (context.family === "criu") return new Set(regular);
  const others = [...directories].filter((file) => file !== undefined);
  return new Set([...regular, ...(types.get("FIFO") ?? []), ...others]);
}

/** Whether a path is a device node, which a restore may bring along with /dev. */
export function isDeviceNode(path: string): boolean {
  return DEV.test(path);
}

/**
 * Where a path through a mount lies on the root file system: as it is for the root mount, below the mount's own root for
 * another mount of the same file system, nowhere (undefined) for a file system that restore mounts anew. Streams know
 * no mounts.
 */
export function mountPlaces(
  context: ImageContext,
): (mountId: number | undefined, path: string) => string | undefined {
  if (!(context instanceof SetContext)) return (_, path) => path;
  const { set } = context;
  const mounts = new Map<number, MntEntry>();
  for (const id of set.ids(IMAGES.MNTS))
    for (const { value } of set.records(IMAGES.MNTS, id)) mounts.set(value.mnt_id, value);
  const root = [...mounts.values()].find(
    ({ parent_mnt_id, mountpoint }) => mountpoint === "/" && !mounts.has(parent_mnt_id),
  );
  return (mountId, path) => {
    const mount = mountId === undefined ? undefined : mounts.get(mountId);
    if (mount === undefined || mount === root || root === undefined) return path;
    const isSame =
      mount.root_dev === root.root_dev && isBelow(mount.root, root.root) && isBelow(path, mount.mountpoint);
    return isSame ? join(below(mount.root, root.root), below(path, mount.mountpoint)) : undefined;
  };
}

function isBelow(path: string, above: string): boolean {
  return above === "/" || path === above || path.startsWith(`${above}/`);
}

/** The part of a path below another: empty or with a slash in front. */
function below(path: string, above: string): string {
  const rest = above === "/" ? path : path.slice(above.length);
  return rest === "/" ? "" : rest;
}

function join(head: string, tail: string): string {
  return `${head}${tail}` || "/";
}
