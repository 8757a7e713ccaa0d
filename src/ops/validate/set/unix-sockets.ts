import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import { SUN_PATH_BYTES } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { filesByType } from "../references/source.js";

const SLASH = 0x2f;
/** USK_EXTERN of criu: the other end is outside of the set. */
export const EXTERNAL = 1;
const AGAIN = "Undo the edit that did it, or copy files.img again from where the set was made.";

/** Rules about unix sockets. */
export const unixSocketRules: readonly Rule<SetContext>[] = [
  {
    id: "UNIX_NAME_LENGTH",
    level: "error",
    about: "The name of a unix socket has at most 108 bytes.",
    mend: "Give it a shorter path with crimg edit --remap-path.",
    *check(context) {
      for (const { file, entry } of unixSockets(context))
        if (entry.name.length > SUN_PATH_BYTES)
          yield {
            at: { ...file.origin, path: file.socket?.local },
            what: "the name is too long to bind",
            expected: `at most ${SUN_PATH_BYTES} bytes`,
            found: `${entry.name.length} bytes`,
          };
    },
  },
  {
    id: "UNIX_NAME_END",
    level: "warning",
    about: "The path of a unix socket ends with one NUL, which counts.",
    mend: "crimg edit --remap-path keeps the NUL; another tool has cut it off.",
    *check(context) {
      for (const { file, entry } of unixSockets(context)) {
        const { name } = entry;
        if (isPath(entry) && (name.at(-1) !== 0 || name.indexOf(0) !== name.length - 1))
          yield {
            at: { ...file.origin, path: file.socket?.local },
            what: name.at(-1) === 0 ? "a NUL inside the path" : "the NUL at the end of the path is missing",
          };
      }
    },
  },
  {
    id: "UNIX_NAME_DIRECTORY",
    level: "error",
    about: "A unix socket with a relative path says the directory it was bound in.",
    mend: AGAIN,
    *check(context) {
      for (const { file, entry } of unixSockets(context))
        if (isPath(entry) && entry.name[0] !== SLASH && entry.name_dir === undefined)
          yield {
            at: { ...file.origin, path: file.socket?.local },
            what: "a relative path without its directory",
          };
    },
  },
  {
    id: "UNIX_PERMISSIONS",
    level: "warning",
    about: "A unix socket with a path has its mode and owner.",
    mend: AGAIN,
    *check(context) {
      for (const { file, entry } of unixSockets(context))
        if (isPath(entry) && entry.file_perms === undefined && (entry.uflags & EXTERNAL) === 0)
          yield {
            at: { ...file.origin, path: file.socket?.local },
            what: "mode and owner of the path are missing",
          };
    },
  },
  {
    id: "UNIX_INODE",
    level: "error",
    about: "No two unix sockets have one inode, since peers name each other by it.",
    mend: AGAIN,
    *check(context) {
      const seen = new Map<number, OpenFile>();
      for (const { file, entry } of unixSockets(context)) {
        const other = seen.get(entry.ino);
        if (other !== undefined)
          yield {
            at: file.origin,
            what: `the inode ${entry.ino} is used twice`,
            found: `record ${other.origin.record}`,
          };
        seen.set(entry.ino, file);
      }
    },
  },
];

function* unixSockets(
  context: SetContext,
): Generator<{ readonly file: OpenFile; readonly entry: UnixSkEntry }> {
  for (const file of context.share(filesByType).get("UNIXSK") ?? [])
    yield { file, entry: file.record as UnixSkEntry };
}

/** Whether the socket has a name in the file system: neither unnamed nor abstract. */
function isPath({ name }: UnixSkEntry): boolean {
  return name.length > 0 && name[0] !== 0;
}
