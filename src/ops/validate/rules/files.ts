import { posix } from "node:path";
import { flagNames } from "../../../io/enums.js";
import { textToBytes } from "../../../io/text.js";
import { OFFSET_MAX, PATH_MAX, S_IFMT } from "../../../linux/files.js";
import { O_TRUNC, ONLY_AT_OPEN, OPEN_FLAGS } from "../../../linux/open-flags.js";
import { namedFiles, type OpenFile } from "../../../model/open-file.js";
import type { ImageContext } from "../context.js";
import { descriptorTables, holders } from "../descriptors.js";
import type { Found, Place, Rule, RuleFacts } from "../finding.js";

/** Rules about open files with a path, and about descriptors. */
export const fileRules: readonly Rule<ImageContext>[] = [
  pathRule(
    {
      id: "FILE_PATH",
      level: "error",
      about: "The path of a file is absolute, holds no NUL and has at most 4,095 bytes.",
      fix: "crimg edit --set IMAGE[RECORD].FIELD=PATH gives the right one.",
    },
    function* ({ path, mayBeRelative }) {
      const bytes = textToBytes(path).length;
      const wrong =
        path === "" || !(mayBeRelative || path.startsWith("/"))
          ? "not absolute"
          : path.includes("\0")
            ? "with a NUL inside"
            : bytes >= PATH_MAX
              ? `${bytes} bytes long`
              : undefined;
      if (wrong !== undefined) yield { what: `the path is ${wrong}`, expected: "an absolute path" };
    },
  ),
  pathRule(
    {
      id: "FILE_PATH_PARENT",
      level: "error",
      about: "No path has a component `..`: a restore would open whatever it leads to for the program.",
      fix: "Trust the image no further than its maker; crimg edit --set gives the file another path.",
    },
    function* ({ path }) {
      if (path.split("/").includes(".."))
        yield {
          what: "the path climbs to a parent directory",
          expected: "a path without ..",
          right: posix.normalize(path),
        };
    },
  ),
  pathRule(
    {
      id: "FILE_PATH_FORM",
      level: "warning",
      about:
        "Paths are written as the kernel writes them: no empty component, no `.`, no slash at the end, no ` (deleted)`.",
      fix: "crimg edit --set IMAGE[RECORD].FIELD=PATH writes the path in the usual form.",
    },
    function* ({ path }) {
      const usual = usualForm(path);
      if (path !== "" && usual !== path && !path.split("/").includes(".."))
        yield { what: "an unusual form of a path", expected: usual, found: path, right: usual };
    },
  ),
  fileRule(
    {
      id: "FILE_FLAGS",
      level: "warning",
      about:
        "The flags of a file are those of fcntl(F_GETFL), without the ones that matter at open(2) alone.",
      fix: "crimg edit --set IMAGE[RECORD].FIELD=NUMBER takes them away; with O_TRUNC a restore would empty the file.",
    },
    function* (file, context) {
      const flags = (file.flags ?? 0) & ONLY_AT_OPEN;
      if (flags === 0) return;
      const isEmptied = (flags & O_TRUNC) !== 0;
      yield {
        what: isEmptied ? "restore would empty the file" : "flags that only open(2) takes",
        found: flagNames(OPEN_FLAGS, flags).join(" | "),
        fix: context.setFileCommand(file, "flags", ((file.flags ?? 0) & ~ONLY_AT_OPEN) >>> 0),
        level: isEmptied ? "error" : "warning",
      };
    },
  ),
  fileRule(
    {
      id: "FILE_POSITION",
      level: "error",
      about: "The offset of a file is one that lseek(2) takes.",
      fix: "crimg edit --set sets it to 0, the beginning of the file.",
    },
    function* (file, context) {
      const { position = 0n } = file;
      if (position > OFFSET_MAX)
        yield {
          what: "invalid offset",
          expected: `at most 0x${OFFSET_MAX.toString(16)}`,
          found: `0x${position.toString(16)}`,
          fix: context.setFileCommand(file, "position", 0),
        };
    },
  ),
  fileRule(
    {
      id: "FILE_MODE_TYPE",
      level: "error",
      about: "The mode that a restore compares with the file on disk has a file type, stat(2).",
      fix: "crimg edit --no-file-check PATH leaves the comparison out.",
    },
    function* ({ mode, path = "" }, context) {
      if (mode !== undefined && (mode & S_IFMT) === 0)
        yield {
          what: "a mode without a file type",
          found: `0${mode.toString(8)}`,
          fix: context.editCommand("--no-file-check", path),
        };
    },
  ),
  {
    id: "FD_DUPLICATE",
    level: "error",
    about: "No descriptor number occurs twice in a table.",
    fix: "crimg edit --set gives one of the two another number.",
    *check(context) {
      for (const { pid, table } of context.share(descriptorTables)) {
        const seen = new Set<number>();
        for (const { fd, origin } of table.descriptors) {
          if (seen.has(fd)) yield { at: context.placeOf(origin, { pid, fd }), what: "duplicate descriptor" };
          seen.add(fd);
        }
      }
    },
  },
];

/** About the way in which a table is stored: a conversion sorts it. */
export const descriptorOrder: Rule<ImageContext> = {
  id: "FD_ORDER",
  level: "warning",
  about: "Descriptors ascend by number; in a stream the kernel insists on it.",
  fix: "Make the image again with crimg convert or crimg checkpoint, which sort them.",
  *check(context) {
    for (const { pid, table } of context.share(descriptorTables)) {
      let last = -1;
      for (const { fd, origin } of table.descriptors) {
        if (fd < last) {
          const level = context.family === "criu" ? "warning" : "error";
          const at = context.placeOf(origin, { pid, fd });
          yield { at, what: "a lower number than the one before", expected: `above ${last}`, level };
          break;
        }
        last = fd;
      }
    }
  },
};

interface NamedPath {
  readonly path: string;
  /** The substitute of a deleted file may be named from the root of its file system. */
  readonly mayBeRelative: boolean;
}

/** A rule that looks at each path by itself; the place and the command that gives the right path are added. */
function pathRule(
  facts: RuleFacts,
  check: (named: NamedPath) => Iterable<Omit<Found, "at"> & { readonly right?: string }>,
): Rule<ImageContext> {
  return {
    ...facts,
    *check(context) {
      for (const { at, file, ...named } of paths(context))
        for (const { right, ...found } of check(named)) {
          const fix = right === undefined ? undefined : context.renameCommand(file, named.path, right);
          yield { ...found, at: at(), ...(fix === undefined ? {} : { fix }) };
        }
    },
  };
}

/** Paths of open files, of directories that only have a name, and of what deleted files come back from. */
function* paths(
  context: ImageContext,
): Generator<NamedPath & { readonly file: OpenFile | undefined; readonly at: () => Place }> {
  const { files, tasks } = context.checkpoint;
  for (const file of namedFiles(files)) {
    const { path = "", deleted } = file;
    yield { path, file, mayBeRelative: false, at: () => placeOf(context, file) };
    if (deleted === undefined || deleted.method === "process" || deleted.ghost !== undefined) continue;
    const { keptIn, keptFile, origin } = deleted;
    if (keptFile === undefined)
      yield {
        ...{ path: keptIn, file: undefined, mayBeRelative: true },
        at: () => context.placeOf(origin, { path: keptIn }),
      };
  }
  for (const { pid, cwd, root } of tasks)
    for (const file of [cwd, root])
      if (file?.path !== undefined && file.id === 0)
        yield {
          ...{ path: file.path, file: undefined, mayBeRelative: false },
          at: () => context.placeOf(file.origin, { pid, path: file.path }),
        };
}

/** A rule that looks at each open file with a path by itself; the place is added. */
function fileRule(
  facts: RuleFacts,
  check: (file: OpenFile, context: ImageContext) => Iterable<Omit<Found, "at">>,
): Rule<ImageContext> {
  return {
    ...facts,
    *check(context) {
      for (const file of namedFiles(context.checkpoint.files))
        for (const found of check(file, context)) yield { ...found, at: placeOf(context, file) };
    },
  };
}

/** Where an open file stands, with the first descriptor that it is open under. */
export function placeOf(context: ImageContext, file: OpenFile): Place {
  const { pid, descriptor } = context.share(holders).get(file) ?? {};
  const held = descriptor === undefined ? {} : { pid, fd: descriptor.fd };
  return context.placeOf(file.origin, { ...held, path: file.path });
}

function usualForm(name: string): string {
  const path = posix.normalize(name.replace(/ \(deleted\)$/, ""));
  return path.length > 1 ? path.replace(/\/$/, "") : path;
}
