import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import { O_CLOEXEC, O_NOFOLLOW, O_PATH, O_PATH_DIRECTORY } from "../../../linux/open-flags.js";
import { AF_UNIX, SOCK_DGRAM, SUN_PATH, TCP_ESTABLISHED, TCP_LISTEN } from "../../../linux/sockets.js";
import type { Journal } from "../journal.js";
import { readUnixSockets } from "../proc/unix-diag.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, openPath } from "../sys/syscall.js";
import type { ImageUnix } from "./image.js";
import { nameWords, pathOf, whyNotReplaced } from "./unix-path.js";

const NEW = 0o2000000 | 0o4000;

/** A stream or seqpacket connection one of whose ends has the name of the listening socket that accepted it. */
interface Accepted {
  readonly server: ImageUnix;
  /** Undefined when its other end was closed. */
  readonly client: ImageUnix | undefined;
}

/** How the unix sockets of an image are made: which as pairs, and which connect to which. */
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

const O_PATH_NOFOLLOW = O_PATH | O_NOFOLLOW;

/** Names of unix sockets: binds to them, and connects to what is bound, also where the name is gone. */
export class UnixNames {
  /** O_PATH descriptors of the files that sockets were bound to, by SOCK. */
  readonly #files = new Map<number, number>();
  readonly #noted: number[] = [];

  constructor(readonly journal: Journal) {}

  /**
   * Binds `fd` as the socket of the image was. What a dead process left of it under its path is replaced, with mode and
   * owner as they were; anything else there is left alone. Errors: BackendError naming the path.
   */
  bind(fd: number, socket: ImageUnix): void {
    const { name } = socket;
    if (name.length === 0) return;
    if (name[0] === 0) {
      call(`bind a socket to ${nameWords(socket)}`, SYS.bind, fd, address(name), SUN_PATH + name.length);
      return;
    }
    const full = pathOf(socket);
    const isReplaced = removeStale(full, socket);
    inDirectory(socket.directory, () => {
      const bytes = address(Buffer.concat([name, Buffer.alloc(1)]));
      call(`bind a socket to ${full}`, SYS.bind, fd, bytes, bytes.length);
    });
    const file = openPath(full, O_PATH_NOFOLLOW | O_CLOEXEC);
    this.#files.set(socket.objref, file);
    if (!socket.isLinked) {
      fs.unlinkSync(textToBytes(full));
      return;
    }
    if (!isReplaced) {
      const { dev, ino } = fs.fstatSync(file, { bigint: true });
      this.#noted.push(this.journal.name(full, { dev, ino }));
    }
    const { permissions } = socket;
    if (permissions === undefined) return;
    fs.chownSync(`/proc/self/fd/${file}`, permissions.uid, permissions.gid);
    fs.chmodSync(`/proc/self/fd/${file}`, permissions.mode & 0o7777);
  }

  /** Connects without waiting. Errors: BackendError when the other one has no name. */
  connect(fd: number, to: ImageUnix): void {
    const bytes = this.addressOf(to);
    call(`connect a socket to ${nameWords(to)}`, SYS.connect, fd, bytes, bytes.length);
  }

  /** struct sockaddr_un that leads to a bound socket, whatever became of its name. Errors: BackendError without a name. */
  addressOf(socket: ImageUnix): Buffer {
    const file = this.#files.get(socket.objref);
    if (file !== undefined) return address(Buffer.from(`/proc/self/fd/${file}\0`));
    if (socket.name[0] === 0) return address(socket.name);
    throw new BackendError(`SOCK ${socket.objref} has no name to connect to`);
  }

  /** The names are to stay. */
  settle(): void {
    for (const id of this.#noted.splice(0)) this.journal.forget(id);
  }

  close(): void {
    for (const fd of this.#files.values()) attempt(SYS.close, fd);
    this.#files.clear();
  }
}

function address(name: Buffer): Buffer {
  const bytes = Buffer.alloc(SUN_PATH + name.length);
  bytes.writeUInt16LE(AF_UNIX);
  name.copy(bytes, SUN_PATH);
  return bytes;
}

/** A relative name counts from the working directory, of which there is one for all of crimg. */
function inDirectory(directory: string | undefined, use: () => void): void {
  if (directory === undefined) {
    use();
    return;
  }
  const before = openPath(".", O_PATH_DIRECTORY | O_CLOEXEC);
  const there = openPath(directory, O_PATH_DIRECTORY | O_CLOEXEC);
  try {
    call(`enter ${directory}`, SYS.fchdir, there);
    use();
  } finally {
    attempt(SYS.fchdir, before);
    attempt(SYS.close, before);
    attempt(SYS.close, there);
  }
}

/** sock_diag gives a device as the kernel has it: 12 bits, then 20. */
function isDevice(device: number, dev: bigint): boolean {
  const major = Number((dev >> 8n) & 0xfffn);
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & 0xfff00n));
  return device >>> 20 === major && (device & 0xfffff) === minor;
}

/** Removes the file of a dead socket. Whether there was one. Errors: BackendError for anything else. */
function removeStale(full: string, socket: ImageUnix): boolean {
  const there = fs.lstatSync(textToBytes(full), { bigint: true, throwIfNoEntry: false });
  const why =
    whyNotReplaced(socket) ?? (there && isBound(there) ? `another task is bound to ${full}` : undefined);
  if (why !== undefined) throw new BackendError(`a socket cannot be bound again: ${why}`);
  if (there === undefined) return false;
  fs.unlinkSync(textToBytes(full));
  return true;
}

/** Whether a socket is bound to this file; a connection would tell, but not without a trace. */
function isBound({ ino, dev }: fs.BigIntStats): boolean {
  return [...readUnixSockets().values()].some(
    ({ file }) => file?.inode === Number(ino & 0xffff_ffffn) && isDevice(file.device, dev),
  );
}
