import { readBuildId } from "../../../formats/elf/build-id.js";
import { isCrimgError } from "../../../io/errors.js";
import { shellCommand } from "../../../io/shell.js";
import { FileSource } from "../../../io/source.js";
import { S_IALLUGO, S_IFDIR, S_IFMT, S_IFREG } from "../../../linux/files.js";
import { O_ACCMODE, O_APPEND, O_PATH } from "../../../linux/open-flags.js";
import type { Found, Rule } from "../finding.js";
import type { RootContext } from "./context.js";
import { isDeviceNode, type OpenedFile, openedFiles } from "./opened-files.js";
import { IMMUTABLE, isMissing, type OnDisk } from "./tree.js";

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0o010000, "a fifo"],
  [0o020000, "a character device"],
  [S_IFDIR, "a directory"],
  [0o060000, "a block device"],
  [S_IFREG, "a regular file"],
  [0o120000, "a symbolic link"],
  [0o140000, "a socket"],
]);

/** Rules about files that are there, against what the set remembers of them. */
export const changedFileRules: readonly Rule<RootContext>[] = [
  {
    id: "FILE_MISSING",
    level: "error",
    about: "Every file that restore opens by its path is there.",
    fix: "Put the file back, or say with crimg edit --remap-path OLD=NEW where it is now.",
    check: missingFiles,
  },
  {
    id: "FILE_TYPE",
    level: "error",
    about:
      "A file is of the type that it had: a regular file, a directory, a device, a fifo, or a symbolic link that was opened itself.",
    fix: "Put the right file back, or say with crimg edit --remap-path OLD=NEW where it is now.",
    *check(context) {
      for (const [opened, { stat, path }] of present(context)) {
        const expected = typeOf(opened);
        if (expected !== undefined && expected !== (stat.mode & S_IFMT))
          yield {
            at: opened.at,
            what: `${path} is of another type than at the dump`,
            expected: TYPE_NAMES.get(expected),
            found: TYPE_NAMES.get(stat.mode & S_IFMT),
          };
      }
    },
  },
  {
    id: "FILE_MODE",
    level: "error",
    about:
      "A file has the permissions that it had; criu compares them unless --skip-file-rwx-check is given.",
    fix: "crimg edit --accept-file takes the new ones; chmod gives it the old ones; criu's --skip-file-rwx-check does not look.",
    *check(context) {
      for (const [opened, { stat }] of present(context)) {
        const { mode } = opened.file;
        if (
          mode === undefined ||
          isOtherType(opened, stat.mode) ||
          (mode & S_IALLUGO) === (stat.mode & S_IALLUGO)
        )
          continue;
        const octal = (bits: number): string => `0${(bits & S_IALLUGO).toString(8)}`;
        yield {
          at: opened.at,
          what: "the permissions have changed",
          expected: octal(mode),
          found: octal(stat.mode),
          fix: acceptCommand(context, opened),
        };
      }
    },
  },
  {
    id: "FILE_SIZE",
    level: "error",
    about: "A file has the size that it had; criu opens no other.",
    fix: "A log that only grows: crimg edit --accept-file. Data: put the file of the dump back. A program: install the version of the dump.",
    *check(context) {
      for (const [opened, { stat, path }] of present(context)) {
        const { size } = opened.file;
        if (
          size === undefined ||
          !stat.isFile() ||
          BigInt(stat.size) === size ||
          hasOtherBuildId(opened, path)
        )
          continue;
        yield {
          at: opened.at,
          ...judge(context, opened, stat.size),
          expected: `${size} bytes`,
          found: `${stat.size} bytes`,
        };
      }
    },
  },
  {
    id: "FILE_READ_ONLY",
    level: "error",
    about:
      "A file that was open for writing can be opened so again: it is not immutable, nor on a file system mounted read-only.",
    fix: "Mount the file system read-write, or take the attribute away: chattr -i FILE.",
    *check(context) {
      for (const [opened, found] of present(context)) {
        const { flags = 0 } = opened.file;
        if ((flags & O_PATH) !== 0 || (flags & O_ACCMODE) === 0 || !found.stat.isFile()) continue;
        const why = context.tree.whyReadOnly(found);
        if (why !== undefined)
          yield {
            at: opened.at,
            what: "the file cannot be opened for writing, not even by root",
            expected: "a file that can be written",
            found: why,
            fix: why === IMMUTABLE ? shellCommand(["chattr", "-i", found.path]) : undefined,
          };
      }
    },
  },
  {
    id: "FILE_BUILD_ID",
    level: "error",
    about: "A program or library is the build that it was: code in memory jumps to addresses of that one.",
    fix: "Install the version of the dump again; crimg edit --accept-file silences the check, and the program will most likely crash.",
    *check(context) {
      for (const [opened, { stat, path }] of present(context)) {
        if (!stat.isFile() || !hasOtherBuildId(opened, path)) continue;
        yield {
          at: opened.at,
          what: "the program has been replaced by another build",
          expected: opened.file.buildId,
          found: `${buildIdOf(path)}, ${stat.size} bytes`,
        };
      }
    },
  },
];

function* present(context: RootContext): Generator<[OpenedFile, OnDisk]> {
  for (const opened of context.image.share(openedFiles)) {
    const found = context.tree.find(opened.place, opened);
    if (!isMissing(found)) yield [opened, found];
  }
}

/** One finding for each file, but only one for all files below a directory that is missing. */
function* missingFiles(context: RootContext): Generator<Found> {
  const hasDevices = !isMissing(context.tree.find("/dev"));
  const below = new Map<string, OpenedFile[]>();
  for (const opened of context.image.share(openedFiles)) {
    const found = context.tree.find(opened.place, opened);
    if (!isMissing(found) || (isDeviceNode(opened.place) && !hasDevices)) continue;
    const files = below.get(found.missing);
    if (files === undefined) below.set(found.missing, [opened]);
    else files.push(opened);
  }
  for (const [missing, [first, ...others]] of below) {
    if (first === undefined) continue;
    const isAncestor = missing !== first.place;
    const names = isAncestor ? new Set([first, ...others].map(({ place }) => place)).size : 1;
    yield {
      at: isAncestor ? { path: missing } : first.at,
      what: isAncestor
        ? `the directory is missing, and with it ${names} of the files to open`
        : "the file is missing",
      expected: first.place === first.path ? first.path : `${first.path}, which is ${first.place}`,
      found: "none",
      fix: context.image.editCommand("--remap-path", `${isAncestor ? missing : first.path}=NEWPATH`),
    };
  }
}

function typeOf({ file, isDirectory }: OpenedFile): number | undefined {
  if (file.mode !== undefined && (file.mode & S_IFMT) !== 0) return file.mode & S_IFMT;
  return isDirectory ? S_IFDIR : undefined;
}

function isOtherType(opened: OpenedFile, mode: number): boolean {
  const expected = typeOf(opened);
  return expected !== undefined && expected !== (mode & S_IFMT);
}

/** What a changed size means for this file, and what fixes it. */
function judge(context: RootContext, opened: OpenedFile, now: number): Pick<Found, "what" | "fix"> {
  const { file } = opened;
  const size = file.size as bigint;
  const hasGrown = BigInt(now) > size;
  const accept = (): string => acceptCommand(context, opened);
  if (opened.isProgram)
    return { what: "a program or library that is mapped has changed: its code is at other places now" };
  const isLog = ((file.flags ?? 0) & O_APPEND) !== 0 || file.position === size;
  if (isLog && hasGrown) return { what: "a log that is only appended to has grown", fix: accept() };
  if (hasGrown)
    return {
      what: "a data file has grown; truncate(1) is right instead if only the end is new and is not wanted",
      fix: accept(),
    };
  return {
    what: isLog
      ? "a log has become shorter (rotated?); the program goes on at its old offset"
      : "a data file has lost its end",
    fix: accept(),
  };
}

function acceptCommand({ image, tree }: RootContext, { path }: OpenedFile): string {
  return image.editCommand("--accept-file", globOf(path), "--root", tree.root);
}

/** A pattern that matches this path alone. */
export function globOf(path: string): string {
  return path.replace(/[\\*?[\]{},]/g, "\\$&");
}

/** Whether both have a build id and they differ; criu does not compare without one. */
function hasOtherBuildId({ file }: OpenedFile, path: string): boolean {
  if (file.buildId === undefined || file.size === undefined) return false;
  const now = buildIdOf(path);
  return now !== undefined && now !== file.buildId;
}

/** The build id as the set stores it: hexadecimal, filled up to words. */
function buildIdOf(path: string): string | undefined {
  const source = openSource(path);
  if (source === undefined) return undefined;
  try {
    const id = readBuildId(source)?.toString("hex");
    return id?.padEnd(Math.ceil(id.length / 8) * 8, "0");
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return undefined;
  } finally {
    source.close();
  }
}

function openSource(path: string): FileSource | undefined {
  try {
    return new FileSource(path);
  } catch {
    return undefined;
  }
}
