import { AF_UNIX, SOCK_DGRAM, TCP_ESTABLISHED, TCP_LISTEN } from "../../../../../linux/sockets.js";
import { SYS } from "../../../sys/abi-x64.js";

import { attempt, call } from "../../../sys/syscall.js";
import type { ImageUnix } from "./image-socket.js";
import type { UnixNames } from "./unix-names.js";

const NEW = 0o2000000 | 0o4000;

/** A stream or seqpacket connection one of whose ends has the name of the listening socket that accepted it. */
export interface Accepted {
  readonly server: ImageUnix;
  /** Undefined when its other end was closed. */
  readonly client: ImageUnix | undefined;
}

/** What becomes of the unix sockets of an image: who is made with whom, and who connects to whom. */
export interface UnixPlan {
  /** socketpair(2); without `other` the other end is closed once the queue is filled. */
  readonly pairs: readonly { readonly one: ImageUnix; readonly other: ImageUnix | undefined }[];
  readonly accepted: readonly Accepted[];
  /** Wait to be accepted. */
  readonly pending: readonly { readonly client: ImageUnix; readonly listener: ImageUnix }[];
  /** Datagram sockets that send to one that does not send to them. */
  readonly connected: readonly { readonly from: ImageUnix; readonly to: ImageUnix }[];
}

/** Sorts the sockets of an image by what they are connected to. */
export function planUnix(all: readonly ImageUnix[]): UnixPlan {
  const byRef = new Map(all.map((socket) => [socket.objref, socket]));
  const listeners = all.filter(({ state }) => state === TCP_LISTEN);
  const plan = {
    pairs: [] as { one: ImageUnix; other: ImageUnix | undefined }[],
    accepted: [] as Accepted[],
    pending: [] as { client: ImageUnix; listener: ImageUnix }[],
    connected: [] as { from: ImageUnix; to: ImageUnix }[],
  };
  const done = new Set<ImageUnix>();
  for (const one of all) {
    // criu calls those connected as well that others send datagrams to.
    const isSentTo = one.type === SOCK_DGRAM && one.peer === 0 && one.name.length > 0;
    if (one.state !== TCP_ESTABLISHED || done.has(one) || isSentTo) continue;
    const other = byRef.get(one.peer);
    done.add(one);
    if (other?.state === TCP_LISTEN) plan.pending.push({ client: one, listener: other });
    else if (other !== undefined && other.peer !== one.objref) plan.connected.push({ from: one, to: other });
    else {
      if (other !== undefined) done.add(other);
      const named = [one, other].filter((end) => end !== undefined && end.name.length > 0) as ImageUnix[];
      const server =
        one.type === SOCK_DGRAM
          ? undefined
          : (named.find((end) => listeners.some(({ name }) => name.equals(end.name))) ?? named[0]);
      if (server === undefined) plan.pairs.push({ one, other });
      else plan.accepted.push({ server, client: server === one ? other : one });
    }
  }
  return plan;
}

export function newSocket(family: number, type: number, protocol: number): number {
  return call("make a socket", SYS.socket, family, type | NEW, protocol);
}

export function newPair(type: number): readonly [number, number] {
  const ends = Buffer.alloc(8);
  call("make a pair of sockets", SYS.socketpair, AF_UNIX, type | NEW, 0, ends);
  return [ends.readInt32LE(0), ends.readInt32LE(4)];
}

/**
 * Connects `client` to a socket that listens under the name of the server, for a moment when the image has none, and
 * gives the accepted end. Errors: BackendError.
 */
export function acceptAgain(
  names: UnixNames,
  client: number,
  server: ImageUnix,
  listener: { readonly socket: ImageUnix; readonly fd: number } | undefined,
): number {
  if (listener !== undefined) {
    names.connect(client, listener.socket);
    return call("accept a connection", SYS.accept4, listener.fd, 0, 0, NEW);
  }
  const own = newSocket(AF_UNIX, server.type, 0);
  try {
    names.bind(own, server);
    call("listen for a connection", SYS.listen, own, 1);
    names.connect(client, server);
    return call("accept a connection", SYS.accept4, own, 0, 0, NEW);
  } finally {
    attempt(SYS.close, own);
  }
}
