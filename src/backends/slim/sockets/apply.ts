import { F_DUPFD_CLOEXEC, F_SETFL } from "../../../linux/files.js";
import { O_NONBLOCK } from "../../../linux/open-flags.js";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { OpenFileRecord } from "../files/image.js";
import type { Journal } from "../journal.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import { sendMessage, setOption } from "./calls.js";
import {
  type ImageInet,
  type ImageMessage,
  type ImageSocket,
  type ImageUnix,
  imageSockets,
  isConnection,
  messagesOf,
} from "./image.js";
import { fillDatagrams } from "./inet.js";
import { makeRoom, optionsBeforeBind, SWITCHES, setOptions } from "./options.js";
import { openNetlink, openPacket } from "./other.js";
import { connectInRepair, endRepair } from "./tcp.js";
import { acceptAgain, newPair, newSocket, planUnix, UnixNames, type UnixPlan } from "./unix-apply.js";

/**
 * The sockets of an image. All are made when the first is asked for: all are bound before any connects, and connected
 * before queues are filled. `openFile` gives the descriptor of crimg for a FILE in flight. Errors: BackendError.
 */
export class Sockets {
  readonly #names: UnixNames;
  readonly #made = new Map<number, number>();
  /** The other ends of connections that had been closed there, by the end that is left. */
  readonly #ghosts = new Map<number, number>();
  readonly #given = new Map<number, number>();
  #all: ReadonlyMap<number, ImageSocket> | undefined;

  constructor(
    readonly reader: StreamReader,
    journal: Journal,
    readonly openFile: (objref: number) => number,
  ) {
    this.#names = new UnixNames(journal);
  }

  /** A descriptor of crimg for a FILE, which the caller closes. */
  open({ objref, value }: OpenFileRecord): number {
    const known = this.#given.get(objref);
    if (known !== undefined) return known;
    if (this.#all === undefined) this.#build();
    const own = this.#given.get(objref) ?? this.#dup(value.sock_objref ?? 0);
    this.#given.set(objref, own);
    call("set the flags of a socket", SYS.fcntl, own, F_SETFL, value.f_flags & O_NONBLOCK);
    return own;
  }

  /** Connections go on and names stay, whatever becomes of crimg: the tasks are about to run. */
  settle(): void {
    this.#names.settle();
    const connections = this.#inet.filter(isConnection);
    for (const socket of connections) endRepair(this.#fd(socket), this.reader, socket);
    for (const socket of connections) this.#finish(socket);
  }

  close(): void {
    for (const fd of [...this.#made.values(), ...this.#ghosts.values()]) attempt(SYS.close, fd);
    this.#made.clear();
    this.#ghosts.clear();
    this.#names.close();
  }

  get #sockets(): ImageSocket[] {
    return [...(this.#all?.values() ?? [])];
  }

  get #inet(): ImageInet[] {
    return this.#sockets.filter(({ family }) => family === AF_INET || family === AF_INET6) as ImageInet[];
  }

  #fd({ objref }: ImageSocket): number {
    return this.#made.get(objref) ?? -1;
  }

  #dup(sock: number): number {
    return call("duplicate a socket", SYS.fcntl, this.#made.get(sock) ?? -1, F_DUPFD_CLOEXEC, 0);
  }

  #build(): void {
    this.#all = imageSockets(this.reader);
    const unix = this.#sockets.filter((socket) => socket.family === AF_UNIX);
    const plan = planUnix(unix);
    this.#make(plan);
    // A port may be taken; of names it has been made sure that they are free.
    const isUnix = ({ family }: ImageSocket): boolean => family === AF_UNIX;
    for (const socket of this.#sockets) if (!isUnix(socket)) this.#bind(socket, plan);
    for (const socket of this.#sockets) if (isUnix(socket)) this.#bind(socket, plan);
    this.#connectUnix(plan, unix);
    this.#fill(unix);
    for (const socket of this.#sockets) if (!isConnection(socket)) this.#finish(socket);
  }

  #make(plan: UnixPlan): void {
    for (const { one, other } of plan.pairs) {
      const [fd, otherFd] = newPair(one.type);
      this.#made.set(one.objref, fd);
      if (other === undefined) this.#ghosts.set(one.objref, otherFd);
      else this.#made.set(other.objref, otherFd);
    }
    const servers = new Set<ImageSocket>(plan.accepted.map(({ server }) => server));
    for (const socket of this.#sockets) {
      if (servers.has(socket) || this.#made.has(socket.objref)) continue;
      this.#made.set(socket.objref, this.#new(socket));
    }
  }

  #new(socket: ImageSocket): number {
    if (socket.family === AF_NETLINK) return openNetlink(this.reader, socket);
    if (socket.family === AF_PACKET) return openPacket(this.reader, socket);
    return newSocket(socket.family, socket.type, socket.protocol);
  }

  #bind(socket: ImageSocket, { accepted }: UnixPlan): void {
    const fd = this.#fd(socket);
    if (socket.family === AF_UNIX) {
      if (accepted.some(({ server }) => server === socket)) return;
      this.#names.bind(fd, socket);
    } else if (socket.family === AF_INET || socket.family === AF_INET6) {
      if (isConnection(socket)) return;
      optionsBeforeBind(fd, socket);
      const { local } = socket;
      if (local !== undefined)
        call(`bind a socket to port ${local.readUInt16BE(2)}`, SYS.bind, fd, local, local.length);
    } else return;
    if (socket.state === TCP_LISTEN) call("listen with a socket", SYS.listen, fd, socket.backlog);
  }

  /** Those that were accepted come before those that still wait at the same socket. */
  #connectUnix({ accepted, connected, pending }: UnixPlan, unix: readonly ImageUnix[]): void {
    for (const { server, client } of accepted) {
      const socket = unix.find((each) => each.state === TCP_LISTEN && each.name.equals(server.name));
      const listener = socket && { socket, fd: this.#fd(socket) };
      const clientFd = client === undefined ? newSocket(AF_UNIX, server.type, 0) : this.#fd(client);
      if (client === undefined) this.#ghosts.set(server.objref, clientFd);
      this.#made.set(server.objref, acceptAgain(this.#names, clientFd, server, listener));
    }
    for (const { from, to } of connected) this.#names.connect(this.#fd(from), to);
    for (const { client, listener } of pending) this.#names.connect(this.#fd(client), listener);
  }

  #fill(unix: readonly ImageUnix[]): void {
    fillDatagrams(
      this.reader,
      this.#inet.filter(({ protocol }) => protocol === IPPROTO_UDP),
      (objref) => this.#made.get(objref),
    );
    for (const socket of this.#inet)
      if (isConnection(socket)) {
        optionsBeforeBind(this.#fd(socket), socket);
        makeRoom(this.#fd(socket), 0);
        connectInRepair(this.#fd(socket), this.reader, socket);
      }
    for (const socket of unix)
      for (const message of messagesOf(this.reader, socket).received) this.#send(message, socket);
    for (const fd of this.#ghosts.values()) attempt(SYS.close, fd);
    this.#ghosts.clear();
  }

  /** Sends a message from where it came; who has no name cannot be told from another. */
  #send({ data, rights, sender }: ImageMessage, to: ImageUnix): void {
    const from = this.#all?.get(sender);
    const isPeer = (each: ImageSocket | undefined): each is ImageUnix =>
      each?.family === AF_UNIX && each.peer === to.objref;
    const peer = isPeer(from) ? from : to.type === SOCK_DGRAM ? undefined : this.#all?.get(to.peer);
    const connected = this.#ghosts.get(to.objref) ?? (peer === undefined ? undefined : this.#fd(peer));
    const known = connected ?? (from === undefined ? undefined : this.#fd(from));
    const fd = known ?? newSocket(AF_UNIX, to.type, 0);
    try {
      makeRoom(fd, data.length);
      const descriptors = rights.map((objref) => this.openFile(objref));
      const address = connected === undefined ? this.#names.addressOf(to) : undefined;
      const isStream = to.type === SOCK_STREAM;
      const doing = "fill the queue of a socket";
      let done = sendMessage(doing, fd, data, { descriptors, to: address });
      while (isStream && done < data.length) done += sendMessage(doing, fd, data.subarray(done));
    } finally {
      if (known === undefined) attempt(SYS.close, fd);
    }
  }

  /** Directions that were closed, then the options. */
  #finish(socket: ImageSocket): void {
    const fd = this.#fd(socket);
    if (socket.shutdown !== 0 && socket.state !== TCP_LISTEN) attempt(SYS.shutdown, fd, socket.shutdown - 1);
    setOptions(fd, socket);
    if (isConnection(socket))
      setOption(
        "set SO_REUSEPORT or SO_REUSEADDR of a socket",
        fd,
        SOL_SOCKET,
        SWITCHES.reuseaddr,
        Number(socket.opts.reuseaddr ?? false),
      );
  }
}
