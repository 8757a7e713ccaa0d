import { posix } from "node:path";
import type { InotifyFileEntry } from "../../../formats/criu/tables/fsnotify.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import { shellCommand } from "../../../io/shell.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Rule } from "../finding.js";
import { filesByType } from "../references/source.js";
import { EXTERNAL } from "../set/unix-sockets.js";
import type { RootContext } from "./context.js";
import { mountPlaces } from "./opened-files.js";
import { isMissing } from "./tree.js";
import { filesLike } from "./watch.js";

const ESTABLISHED = 1;
const STREAM = 1;
const SEQPACKET = 5;

/** Rules about paths that are no open files: sockets, watches, files that the program expects. */
export const otherPathRules: readonly Rule<RootContext>[] = [
  {
    id: "UNIX_DIRECTORY",
    level: "error",
    about: "The directory in which a unix socket is bound is there, and writable.",
    mend: "Make the directory, or say with crimg edit --remap-path OLD=NEW where it is now.",
    *check(context) {
      for (const { file, place, path } of boundSockets(context)) {
        const directory = posix.dirname(place);
        const found = context.tree.find(directory);
        const problem = isMissing(found)
          ? `no ${found.missing}`
          : !found.stat.isDirectory()
            ? "no directory"
            : context.tree.isWritable(found)
              ? undefined
              : "not writable";
        if (problem !== undefined)
          yield {
            at: { ...file.origin, path },
            what: "the socket cannot be bound in its directory",
            expected: `a directory that can be written: ${directory}`,
            found: problem,
            fix: isMissing(found) ? shellCommand(["mkdir", "-p", context.tree.pathOf(directory)]) : undefined,
          };
      }
    },
  },
  {
    id: "UNIX_PATH",
    level: "error",
    about:
      "Nothing but a socket lies at the path of a unix socket; a socket that lies there is removed by restore.",
    mend: "Move away what lies there.",
    *check(context) {
      for (const { file, place, path, entry } of boundSockets(context)) {
        const found = context.tree.find(place);
        if (isMissing(found) || found.stat.isSocket() || entry.deleted === true) continue;
        yield {
          at: { ...file.origin, path },
          what: "something that is no socket lies at the path, so that bind fails",
          expected: "nothing, or a socket",
          found: found.path,
          fix: shellCommand(["mv", found.path, `${found.path}.old`]),
        };
      }
    },
  },
  {
    id: "UNIX_PEER_GONE",
    level: "error",
    about: "A service outside of the set to which a unix socket is connected listens at its path.",
    mend: "Start the service first.",
    *check(context) {
      for (const { file, place, path } of sockets(context, (entry) => (entry.uflags & EXTERNAL) !== 0)) {
        const found = context.tree.find(place);
        if (isMissing(found) || !found.stat.isSocket())
          yield {
            at: { ...file.origin, path },
            what: "no service listens there",
            expected: "a socket",
            found: isMissing(found) ? "none" : "no socket",
          };
      }
    },
  },
  {
    id: "INOTIFY_PATH",
    level: "error",
    about: "What is watched by inotify is there.",
    mend: "Put it back, or say with crimg edit --remap-path OLD=NEW where it is now.",
    *check(context) {
      const places = context.set.share(mountPlaces);
      const files = context.set.share(filesByType).get("INOTIFY") ?? [];
      for (const file of files)
        for (const { wd, f_handle } of (file.record as InotifyFileEntry).wd) {
          const { path, mnt_id } = f_handle;
          const place = path === undefined ? undefined : places(mnt_id, absolute(path));
          if (path === undefined || place === undefined) continue;
          const found = context.tree.find(place);
          if (isMissing(found))
            yield {
              at: { ...file.origin, path: absolute(path) },
              what: `what watch ${wd} looks at is missing`,
              expected: place,
              found: `no ${found.missing}`,
              fix: context.set.editCommand("--remap-path", `${absolute(path)}=NEWPATH`),
            };
        }
    },
  },
  {
    id: "WATCH_MISSING",
    level: "error",
    about:
      "Files that the policy watches are there: the program wrote and closed them, and will look for them.",
    mend: "Put them back from where the set was made.",
    *check(context) {
      for (const pattern of context.watch)
        if (filesLike(context.tree, pattern).next().done === true)
          yield {
            at: { path: pattern },
            what: "no file matches this pattern of the policy",
            expected: "at least one",
            found: "none",
          };
    },
  },
];

interface BoundSocket {
  readonly file: OpenFile;
  readonly entry: UnixSkEntry;
  readonly path: string;
  readonly place: string;
}

/** Sockets that restore binds to a path; an accepted one carries the listener's name and is not bound. */
function boundSockets(context: RootContext): Iterable<BoundSocket> {
  return sockets(context, ({ uflags, state, type }) => {
    const isAccepted = state === ESTABLISHED && (type === STREAM || type === SEQPACKET);
    return (uflags & EXTERNAL) === 0 && !isAccepted;
  });
}

function* sockets({ set }: RootContext, isMeant: (entry: UnixSkEntry) => boolean): Generator<BoundSocket> {
  const places = set.share(mountPlaces);
  for (const file of set.share(filesByType).get("UNIXSK") ?? []) {
    const entry = file.record as UnixSkEntry;
    const path = file.socket?.local ?? "";
    const place = path.startsWith("/") ? places(entry.mnt_id, path) : undefined;
    if (place !== undefined && isMeant(entry)) yield { file, entry, path, place };
  }
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
