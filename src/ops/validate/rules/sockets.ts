import { isCrimgError } from "../../../io/errors.js";
import { SUN_PATH_BYTES } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Origin } from "../../../model/origin.js";
import { isPath, type Socket, sizeOf, type TcpConnection, type UnixName } from "../../../model/socket.js";
import type { ImageContext } from "../context.js";
import { holders } from "../descriptors.js";
import type { Found, Place, Rule, RuleFacts } from "../finding.js";

const SLASH = 0x2f;
/** TCPI_OPT_TIMESTAMPS and TCPI_OPT_WSCALE of linux/tcp.h. */
const OPT_TIMESTAMPS = 1;
const OPT_WSCALE = 4;
/** The kernel's SCM_MAX_FD. */
const MAX_RIGHTS = 253;

/** What is wrong with a socket; the rule adds the place, that of the open file unless `origin` says another. */
type Wrong = Omit<Found, "at"> & { readonly origin?: Origin };

type Check = (socket: Socket, file: OpenFile, context: ImageContext) => Iterable<Wrong>;

const CHECKS: readonly (readonly [facts: RuleFacts, check: Check])[] = [
  [
    {
      id: "SOCKET_INODE",
      level: "error",
      about: "No two sockets have one inode: peers and connections are named by it.",
      fix: "Drop the descriptors of one of them with crimg edit --drop-fd.",
    },
    function* ({ inode }, file, context) {
      const first = context.share(firstOfInodes).get(inode);
      if (first !== undefined && first !== file)
        yield {
          what: `the inode ${inode} is used twice`,
          expected: "an inode of its own",
          found: `record ${first.origin.record}`,
        };
    },
  ],
  [
    {
      id: "INET_FAMILY",
      level: "error",
      about: "An inet socket is IPv4 or IPv6.",
      fix: "crimg edit --set gives it the family of its address, 2 or 10.",
    },
    function* ({ family }, { type }) {
      if (type === "INETSK" && family !== "INET" && family !== "INET6")
        yield { what: "no family of an inet socket", expected: "INET or INET6", found: family };
    },
  ],
  [
    {
      id: "UNIX_NAME_LENGTH",
      level: "error",
      about: `The name of a unix socket has at most ${SUN_PATH_BYTES} bytes.`,
      fix: "Give it a shorter path with crimg edit --remap-path.",
    },
    ofUnix(function* ({ length }) {
      if (length > SUN_PATH_BYTES)
        yield {
          what: "the name is too long to bind",
          expected: `at most ${SUN_PATH_BYTES} bytes`,
          found: `${length} bytes`,
        };
    }),
  ],
  [
    {
      id: "UNIX_NAME_END",
      level: "warning",
      about: "The path of a unix socket ends with one NUL, which counts.",
      fix: "crimg edit --remap-path keeps the NUL; another tool has cut it off.",
    },
    ofUnix(function* (unix) {
      const { name } = unix;
      if (isPath(unix) && (name.at(-1) !== 0 || name.indexOf(0) !== name.length - 1))
        yield {
          what: name.at(-1) === 0 ? "a NUL inside the path" : "the NUL at the end of the path is missing",
        };
    }),
  ],
  [
    {
      id: "UNIX_NAME_DIRECTORY",
      level: "error",
      about: "A unix socket with a relative path says the directory it was bound in.",
      fix: "Drop its descriptors with crimg edit --drop-fd, or give it the directory with crimg edit --set.",
    },
    ofUnix(function* (unix) {
      if (isPath(unix) && unix.name[0] !== SLASH && (unix.directory ?? "") === "")
        yield { what: "a relative path without its directory" };
    }),
  ],
  [
    {
      id: "UNIX_PERMISSIONS",
      level: "warning",
      about: "A unix socket with a path has its mode and owner, in images that store these.",
      fix: "Set mode and owner of the socket's file after the restore: it is made with those of its task.",
    },
    ofUnix(function* (unix, _, context) {
      if (hasPermissions(unix) === false && context.share(storesPermissions))
        yield { what: "mode and owner of the path are missing" };
    }),
  ],
  [
    {
      id: "SOCKET_PEER",
      level: "error",
      about: "The two ends of a connection between unix sockets name each other.",
      fix: "crimg edit --set gives the other end the number of this one, or 0 for none.",
    },
    function* ({ inode, type, peer, peerInode }) {
      const back = peer?.socket?.peer?.socket?.inode;
      if (type !== "DGRAM" && back !== undefined && back !== inode)
        yield {
          what: "the other end is connected elsewhere",
          expected: `socket ${peerInode} to name ${inode}`,
          found: String(back),
        };
    },
  ],
  [
    {
      id: "TCP_QUEUE",
      level: "error",
      about: "What of a connection's outgoing bytes was not yet sent is part of them.",
      fix: "Restore with --tcp-close, which ends the connection.",
    },
    ofConnection(function* ({ neverSent = 0, unsent }) {
      const size = sizeOf(unsent);
      if (neverSent > size)
        yield {
          what: "more unsent bytes than bytes to send",
          expected: `at most ${size}`,
          found: String(neverSent),
        };
    }),
  ],
  [
    {
      id: "TCP_OPTIONS",
      level: "error",
      about: "A connection has the values of the options that it negotiated.",
      fix: "Restore with --tcp-close, which ends the connection.",
    },
    ofConnection(function* ({ optionMask, timestamp, receiveScale }) {
      if ((optionMask & OPT_TIMESTAMPS) !== 0 && timestamp === undefined)
        yield { what: "timestamps are on and their clock is missing" };
      if ((optionMask & OPT_WSCALE) !== 0 && receiveScale === undefined)
        yield { what: "window scaling is on and its factor is missing" };
    }),
  ],
  [
    {
      id: "SOCKET_RIGHTS",
      level: "error",
      about: `A message carries at most ${MAX_RIGHTS} descriptors.`,
      fix: "Drop the descriptors of the socket with crimg edit --drop-fd.",
    },
    function* (socket) {
      let message = 0;
      for (const { files } of socket.unix === undefined ? [] : socket.received()) {
        message++;
        if (files.length > MAX_RIGHTS)
          yield {
            what: `message ${message} carries more descriptors than the kernel takes`,
            expected: `at most ${MAX_RIGHTS}`,
            found: String(files.length),
          };
      }
    },
  ],
  [
    {
      id: "QUEUE_RIGHTS",
      level: "error",
      about: "A descriptor that travels in a message is an open file of the image.",
      fix: "crimg edit --drop-fd PID:FD closes the descriptors of the socket that the message waits in.",
    },
    function* (socket, _, { checkpoint }) {
      for (const { files } of socket.unix === undefined ? [] : socket.received())
        for (const id of files)
          if (checkpoint.files.get(id) === undefined)
            yield { what: "missing open file in a message", expected: `open file ${id}`, found: "none" };
    },
  ],
];

/** Rules about sockets, their names, connections and queues. */
export const socketRules: readonly Rule<ImageContext>[] = CHECKS.map(([facts, check]) => ({
  ...facts,
  *check(context) {
    for (const file of context.share(suspects).get(check) ?? [])
      for (const { origin, ...wrong } of check(file.socket as Socket, file, context))
        yield { ...wrong, at: placeOf(context, file, origin) };
  },
}));

/** The open files that each check says something of. There may be half a million sockets: each is decoded once for all. */
function suspects(context: ImageContext): ReadonlyMap<Check, readonly OpenFile[]> {
  const found = new Map<Check, OpenFile[]>(CHECKS.map(([, check]) => [check, []]));
  for (const [file, socket] of sockets(context))
    for (const [check, files] of found) if (isSuspect(check, socket, file, context)) files.push(file);
  return found;
}

/** Where a stream is damaged, the rule itself meets the damage and stops. */
function isSuspect(check: Check, socket: Socket, file: OpenFile, context: ImageContext): boolean {
  try {
    for (const _ of check(socket, file, context)) return true;
    return false;
  } catch (error) {
    if (isCrimgError(error)) return true;
    throw error;
  }
}

function* sockets({ checkpoint }: ImageContext): Generator<readonly [file: OpenFile, socket: Socket]> {
  for (const file of checkpoint.files.all) {
    const { socket } = file;
    if (socket !== undefined) yield [file, socket];
  }
}

function firstOfInodes(context: ImageContext): ReadonlyMap<number, OpenFile> {
  const first = new Map<number, OpenFile>();
  for (const [file, { inode }] of sockets(context))
    if (inode !== 0 && !first.has(inode)) first.set(inode, file);
  return first;
}

function ofUnix(check: (unix: UnixName, file: OpenFile, context: ImageContext) => Iterable<Wrong>): Check {
  return function* ({ unix }, file, context) {
    if (unix !== undefined) yield* check(unix, file, context);
  };
}

function ofConnection(check: (connection: TcpConnection) => Iterable<Wrong>): Check {
  return function* (socket) {
    const connection = socket.connection();
    if (connection === undefined) return;
    for (const wrong of check(connection)) yield { ...wrong, origin: connection.origin };
  };
}

function placeOf(context: ImageContext, file: OpenFile, origin = file.origin): Place {
  const held = context.share(holders).get(file);
  const { unix, local } = file.socket ?? {};
  const path = unix === undefined ? undefined : local || undefined;
  return context.placeOf(origin, { path, pid: held?.pid, fd: held?.descriptor.fd });
}

/** Undefined for a socket without a path, and for one that is not made at a restore. */
function hasPermissions(unix: UnixName | undefined): boolean | undefined {
  return unix === undefined || !isPath(unix) || unix.external === "peer"
    ? undefined
    : unix.permissions !== undefined;
}

/** Streams of linux-cr itself store no modes of sockets, nor did criu before 0.4. */
function storesPermissions(context: ImageContext): boolean {
  for (const [, { unix }] of sockets(context)) if (hasPermissions(unix) === true) return true;
  return false;
}
