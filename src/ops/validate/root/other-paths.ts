import { posix } from "node:path";
import type { InotifyFileEntry } from "../../../formats/criu/tables/fsnotify.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { shellCommand } from "../../../io/shell.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Socket } from "../../../model/socket.js";
import { type ImageContext, SetContext } from "../context.js";
import type { Place, Rule } from "../finding.js";
import { filesByType } from "../references/source.js";
import { StreamContext } from "../stream/context.js";
import type { RootContext, SetRootContext } from "./context.js";
import { mountPlaces } from "./opened-files.js";
import { isMissing } from "./tree.js";
import { filesLike } from "./watch.js";

/** Rules about paths that are no open files: sockets, watches, files that the program expects. */
export const otherPathRules: readonly Rule<RootContext>[] = [
  {
    id: "UNIX_DIRECTORY",
    level: "error",
    about: "The directory in which a unix socket is bound is there, and writable.",
    fix: "Make the directory, or say with crimg edit --remap-path OLD=NEW where it is now.",
    *check(context) {
      for (const { file, place, path, isDeleted } of boundSockets(context)) {
        const directory = posix.dirname(place);
        const found = context.tree.find(directory);
        // criu makes the directory again for a socket whose file had been deleted (sk-unix.c, bind_on_deleted).
        if (isDeleted && isMissing(found)) continue;
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
    fix: "Move away what lies there.",
    *check(context) {
      for (const { file, place, path, isDeleted } of boundSockets(context)) {
        const found = context.tree.find(place);
        if (isMissing(found) || found.stat.isSocket() || isDeleted) continue;
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
    id: "INOTIFY_PATH",
    level: "error",
    about: "What is watched by inotify is there.",
    fix: "Put it back, or say with crimg edit --remap-path OLD=NEW where it is now.",
    *check(context) {
      for (const { at, wd, path, place } of watches(context)) {
        const found = context.tree.find(place);
        if (isMissing(found))
          yield {
            at: { ...at, path },
            what: `what watch ${wd} looks at is missing`,
            expected: place,
            found: `no ${found.missing}`,
            fix: context.image.editCommand("--remap-path", `${path}=NEWPATH`),
          };
      }
    },
  },
  {
    id: "WATCH_MISSING",
    level: "error",
    about:
      "Files that the policy watches are there: the program wrote and closed them, and will look for them.",
    fix: "Put them back from where the set was made.",
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

/** Rules about services outside of a set, which streams have no place for. */
export const peerRules: readonly Rule<SetRootContext>[] = [
  {
    id: "UNIX_PEER_GONE",
    level: "error",
    about: "A service outside of the set to which a unix socket is connected listens at its path.",
    fix: "Start the service first.",
    *check(context) {
      for (const { file, place, path } of namedSockets(
        context.image,
        ({ unix }) => unix?.external === "peer",
      )) {
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
];

interface BoundSocket {
  readonly file: OpenFile;
  readonly path: string;
  readonly place: string;
  /** The name was gone at the dump. */
  readonly isDeleted: boolean;
}

/** Sockets that restore binds to a path; an accepted one carries the listener's name and is not bound. */
function boundSockets({ image }: RootContext): Generator<BoundSocket> {
  return namedSockets(image, ({ state, type, unix }) => {
    const isAccepted = state === "ESTABLISHED" && (type === "STREAM" || type === "SEQPACKET");
    return unix?.external !== "peer" && !isAccepted;
  });
}

function* namedSockets(image: ImageContext, isMeant: (socket: Socket) => boolean): Generator<BoundSocket> {
  const places = image instanceof SetContext ? image.share(mountPlaces) : undefined;
  for (const file of image.checkpoint.files.all) {
    const { socket } = file;
    const path = socket?.unix === undefined ? "" : socket.local;
    if (socket === undefined || !path.startsWith("/") || !isMeant(socket)) continue;
    const place = places === undefined ? path : places(file.record.mnt_id as UnixSkEntry["mnt_id"], path);
    if (place !== undefined) yield { file, path, place, isDeleted: socket.unix?.isLinked === false };
  }
}

interface Watched {
  readonly at: Place;
  readonly wd: number;
  readonly path: string;
  readonly place: string;
}

/** The paths that inotify watches, as far as the image knows them. */
function* watches({ image }: RootContext): Generator<Watched> {
  if (image instanceof StreamContext) {
    for (const { index, value } of image.each(RECORDS.INOTIFY_WATCH)) {
      const path = image.stream.text(index);
      if (path !== "")
        yield { at: image.at(index), wd: value.wd, path: absolute(path), place: absolute(path) };
    }
    return;
  }
  const places = image.share(mountPlaces);
  for (const file of image.share(filesByType).get("INOTIFY") ?? [])
    for (const { wd, f_handle } of (file.record as InotifyFileEntry).wd) {
      const path = f_handle.path === undefined ? undefined : absolute(f_handle.path);
      const place = path === undefined ? undefined : places(f_handle.mnt_id, path);
      if (path !== undefined && place !== undefined) yield { at: file.origin, wd, path, place };
    }
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
