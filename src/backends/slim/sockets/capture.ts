/** Sockets with their options, names, connections and queues; files in flight are objects of files/. */

import { POLLERR } from "../../../linux/files.js";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  SO_DOMAIN,
  SOL_SOCKET,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import { ExternalHolders, holderWords } from "../files/external.js";
import { borrow, borrowAll, kindOf, type OpenFileState, type OpenFileStates } from "../files/open-files.js";
import { readUnixSockets, type UnixDiag } from "../proc/unix-diag.js";
import { intOption } from "./calls.js";
import type { InetSocket, QueuedMessage, ReportUnsupported, SavedSocket } from "./captured.js";
import { captureInet, endpoint, endpointKey, type InetCapture, isEstablished } from "./inet.js";
import { hasFilter, unsavedOptions } from "./options.js";
import { captureNetlink, capturePacket } from "./other.js";
import { pollEvents } from "./queue.js";
import { enterRepair, leaveRepair, readConnections } from "./tcp.js";
import { captureUnix, type Waiting, waitingIn } from "./unix-capture.js";
import { whyNotReplaced } from "./unix-path.js";

const SOCKET_LINK = /^socket:\[(\d+)\]$/;

/** Why the socket of a descriptor cannot be saved. */
interface UnsupportedSocket {
  readonly file: OpenFileState;
  readonly reason: string;
}

/**
 * The sockets of a tree of stopped tasks with all that waits in them; open files in flight become open files of the
 * tree. Errors: BackendError when a socket cannot be looked at.
 */
export class SocketTable {
  readonly unsupported: UnsupportedSocket[] = [];
  readonly #saved = new Map<number, SavedSocket>();
  readonly #inodes = new Map<number, OpenFileState>();
  readonly #waiting = new Map<number, readonly Waiting[]>();
  readonly #unix: ReadonlyMap<number, UnixDiag>;
  readonly #datagrams: { readonly of: InetCapture; readonly file: OpenFileState }[] = [];

  constructor(
    readonly files: OpenFileStates,
    /** The tasks of the tree. */
    readonly inside: ReadonlySet<number>,
  ) {
    const isAnySocket = files.all.some((each) => kindOf(each) === "socket");
    this.#unix = isAnySocket ? readUnixSockets() : new Map();
    // Queues may hold open files, which may be sockets: the list grows.
    for (let i = 0; i < files.all.length; i++) this.#look(files.all[i] as OpenFileState);
    for (const file of this.#inodes.values()) this.#capture(file);
    this.#checkNames();
    this.#findSenders();
    this.#readConnections();
  }

  /** The socket of a description, of those that can be saved. */
  get(file: OpenFileState): SavedSocket | undefined {
    return this.#saved.get(file.id);
  }

  /** The description and socket of an inode number. */
  byInode(inode: number): { readonly file: OpenFileState; readonly socket: SavedSocket } | undefined {
    const file = this.#inodes.get(inode);
    const socket = file && this.#saved.get(file.id);
    return file && socket && { file, socket };
  }

  /** Runs `end`, which ends the tasks: their connections end with them without a word. When it fails they go on. */
  silently(end: () => void): void {
    const connections = this.#connections();
    const each = (use: (fd: number, socket: InetSocket) => void): void => {
      for (const { file, socket } of connections) borrow(file, (fd) => use(fd, socket));
    };
    each(enterRepair);
    try {
      end();
    } catch (error) {
      each((fd, { entry }) => leaveRepair(fd, Number(entry.opts.reuseaddr ?? false)));
      throw error;
    }
  }

  /** What waits in a unix socket must be known of all of them before it can be told who is outside the tree. */
  #look(file: OpenFileState): void {
    if (kindOf(file) !== "socket") return;
    this.#inodes.set(inodeOf(file), file);
    borrow(file, (fd) => {
      // Reading would take the error away.
      if (intOption(fd, SOL_SOCKET, SO_DOMAIN) !== AF_UNIX || hasError(fd)) return;
      const waiting = waitingIn(fd, (descriptor) => this.files.adopt(descriptor));
      if (waiting.length > 0) this.#waiting.set(file.id, waiting);
    });
  }

  #capture(file: OpenFileState): void {
    const inode = inodeOf(file);
    const unsupported: ReportUnsupported = (reason) => void this.unsupported.push({ file, reason });
    borrow(file, (fd) => {
      if (hasFilter(fd)) unsupported("has a packet filter");
      for (const name of unsavedOptions(fd)) unsupported(`has the option ${name} set, which is not saved`);
      if (hasError(fd)) {
        unsupported("has a pending error");
        return;
      }
      const socket = this.#read(fd, inode, file, unsupported);
      if (socket !== undefined) this.#saved.set(file.id, socket);
    });
  }

  #read(
    fd: number,
    inode: number,
    file: OpenFileState,
    unsupported: ReportUnsupported,
  ): SavedSocket | undefined {
    const { flags } = file.info;
    switch (intOption(fd, SOL_SOCKET, SO_DOMAIN)) {
      case AF_UNIX:
        return captureUnix(
          fd,
          { inode, waiting: this.#waiting.get(file.id) ?? [] },
          {
            all: this.#unix,
            isInside: (other) => this.#inodes.has(other),
            holder: (other) =>
              holderWords(new ExternalHolders([linkOf(other)], this.inside).holder(linkOf(other))),
          },
          unsupported,
        );
      case AF_INET:
      case AF_INET6: {
        const captured = captureInet(fd, inode, flags, unsupported);
        if (captured !== undefined) this.#datagrams.push({ of: captured, file });
        return captured?.socket;
      }
      case AF_NETLINK:
        return captureNetlink(fd, inode, flags, unsupported);
      case AF_PACKET:
        return capturePacket(fd, inode, flags, unsupported);
      default:
        unsupported("has a family that the slim backend does not support");
        return undefined;
    }
  }

  /** Paths to which a restart could not bind the sockets again; one that was accepted has that of its listener. */
  #checkNames(): void {
    const unix = this.files.all.flatMap((file) => {
      const socket = this.#saved.get(file.id);
      return socket?.family === "unix" ? [{ file, socket }] : [];
    });
    const listening = unix.filter(({ socket }) => socket.state === TCP_LISTEN);
    const listeners = new Set(listening.map(({ socket }) => socket.name.toString("latin1")));
    for (const { file, socket } of unix) {
      const { name, state } = socket;
      const isPath = name.length > 0 && name[0] !== 0;
      if (!isPath || (state === TCP_ESTABLISHED && listeners.has(name.toString("latin1")))) continue;
      const bare = name.at(-1) === 0 ? name.subarray(0, -1) : name;
      const why = whyNotReplaced({ ...socket, name: bare });
      if (why !== undefined) this.unsupported.push({ file, reason: `could not be bound again: ${why}` });
    }
  }

  /** Datagrams are sent again by the sockets that sent them. */
  #findSenders(): void {
    const senders = new Map<string, number>();
    for (const { socket } of this.#inet()) {
      const { src_port: port, src_addr: words } = socket.entry;
      senders.set(endpointKey({ port, words }), socket.inode);
      if (words.every((word) => word === 0)) senders.set(`*:${port}`, socket.inode);
    }
    for (const { of, file } of this.#datagrams) {
      const queue = of.messages.map((message): QueuedMessage => {
        const from = endpoint(message.sender, of.socket.entry.family);
        const sender = senders.get(endpointKey(from)) ?? senders.get(`*:${from.port}`);
        if (sender === undefined)
          this.unsupported.push({
            file,
            reason: `holds a datagram from outside the tree (port ${from.port})`,
          });
        return { data: message.data, files: [], sender };
      });
      this.#saved.set(file.id, { ...of.socket, queue });
    }
  }

  #readConnections(): void {
    const all = this.#connections();
    const ends = new Set(
      all.map(({ socket: { entry } }) =>
        endKey(entry.src_port, entry.src_addr, entry.dst_port, entry.dst_addr),
      ),
    );
    const whole = all.filter(({ file, socket: { entry } }) => {
      const peer = endKey(entry.dst_port, entry.dst_addr, entry.src_port, entry.src_addr);
      const isWhole = ends.has(peer);
      if (!isWhole)
        this.unsupported.push({
          file,
          reason: `is a TCP connection (port ${entry.src_port} to port ${entry.dst_port}) whose other end is outside the tree`,
        });
      return isWhole;
    });
    if (whole.length === 0 || this.unsupported.length > 0) return;
    borrowAll(
      whole.map(({ file }) => file),
      (fds) => {
        for (const [i, connection] of readConnections(fds).entries())
          (whole[i] as { socket: InetSocket }).socket.connection = connection;
      },
    );
  }

  #connections(): { readonly file: OpenFileState; readonly socket: InetSocket }[] {
    return this.#inet().filter(({ socket }) => isEstablished(socket));
  }

  #inet(): { readonly file: OpenFileState; readonly socket: InetSocket }[] {
    return this.files.all.flatMap((file) => {
      const socket = this.#saved.get(file.id);
      return socket?.family === "inet" ? [{ file, socket }] : [];
    });
  }
}

/** Whether the next call is told of an error, SO_ERROR of socket(7). */
function hasError(fd: number): boolean {
  return (pollEvents(fd) & POLLERR) !== 0;
}

function endKey(port: number, words: readonly number[], toPort: number, toWords: readonly number[]): string {
  return `${endpointKey({ port, words })} ${endpointKey({ port: toPort, words: toWords })}`;
}

function inodeOf({ link }: OpenFileState): number {
  return Number(SOCKET_LINK.exec(link)?.[1] ?? 0);
}

function linkOf(inode: number): string {
  return `socket:[${inode}]`;
}
