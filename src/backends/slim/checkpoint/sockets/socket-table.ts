import { POLLERR } from "../../../../linux/files.js";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  SO_DOMAIN,
  SOL_SOCKET,
} from "../../../../linux/sockets.js";
import { readUnixSockets, type UnixDiag } from "../../proc/unix-diag.js";
import { intOption } from "../../sys/socket-calls.js";

import { borrow, borrowAll, type Description, type Descriptions } from "../descriptions.js";
import { kindOf } from "../file-kind.js";
import { holderWords, Outside } from "../outside.js";
import { captureInet, endpoint, endpointKey, type InetCapture, isConnection } from "./inet.js";
import { hasFilter } from "./options.js";
import { captureNetlink, capturePacket } from "./other.js";
import { pollEvents } from "./queue.js";
import type { InetSocket, QueuedMessage, Refuse, SavedSocket } from "./socket.js";
import { enterRepair, leaveRepair, readConnections } from "./tcp.js";
import { captureUnix, type Waiting, waitingIn } from "./unix.js";
import { unsavedOptions } from "./unsaved-options.js";

const SOCKET_LINK = /^socket:\[(\d+)\]$/;

/** Why the socket of a descriptor cannot be saved. */
export interface SocketRefusal {
  readonly description: Description;
  readonly reason: string;
}

/**
 * The sockets of a tree of stopped tasks with all that waits in them; open files in flight become descriptions of the
 * tree. Errors: BackendError when a socket cannot be looked at.
 */
export class SocketTable {
  readonly refusals: SocketRefusal[] = [];
  readonly #saved = new Map<number, SavedSocket>();
  readonly #inodes = new Map<number, Description>();
  readonly #waiting = new Map<number, readonly Waiting[]>();
  readonly #unix: ReadonlyMap<number, UnixDiag>;
  readonly #datagrams: { readonly of: InetCapture; readonly description: Description }[] = [];

  constructor(
    readonly descriptions: Descriptions,
    /** The tasks of the tree. */
    readonly inside: ReadonlySet<number>,
  ) {
    const isAnySocket = descriptions.all.some((each) => kindOf(each) === "socket");
    this.#unix = isAnySocket ? readUnixSockets() : new Map();
    // Queues may hold open files, which may be sockets: the list grows.
    for (let i = 0; i < descriptions.all.length; i++) this.#look(descriptions.all[i] as Description);
    for (const description of this.#inodes.values()) this.#capture(description);
    this.#findSenders();
    this.#readConnections();
  }

  /** The socket of a description, of those that can be saved. */
  get(description: Description): SavedSocket | undefined {
    return this.#saved.get(description.id);
  }

  /** The description and socket of an inode number. */
  byInode(inode: number): { readonly description: Description; readonly socket: SavedSocket } | undefined {
    const description = this.#inodes.get(inode);
    const socket = description && this.#saved.get(description.id);
    return description && socket && { description, socket };
  }

  /** Runs `end`, which ends the tasks: their connections end with them without a word. When it fails they go on. */
  silently(end: () => void): void {
    const connections = this.#connections();
    const each = (use: (fd: number, socket: InetSocket) => void): void => {
      for (const { description, socket } of connections) borrow(description, (fd) => use(fd, socket));
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
  #look(description: Description): void {
    if (kindOf(description) !== "socket") return;
    this.#inodes.set(inodeOf(description), description);
    borrow(description, (fd) => {
      if (intOption(fd, SOL_SOCKET, SO_DOMAIN) !== AF_UNIX) return;
      const waiting = waitingIn(fd, (descriptor) => this.descriptions.adopt(descriptor));
      if (waiting.length > 0) this.#waiting.set(description.id, waiting);
    });
  }

  #capture(description: Description): void {
    const inode = inodeOf(description);
    const refuse: Refuse = (reason) => void this.refusals.push({ description, reason });
    borrow(description, (fd) => {
      if (hasFilter(fd)) refuse("has a packet filter");
      for (const name of unsavedOptions(fd))
        refuse(`has the option ${name} set, for which an image has no place`);
      if ((pollEvents(fd) & POLLERR) !== 0) refuse("has an error to tell its program");
      const socket = this.#read(fd, inode, description, refuse);
      if (socket !== undefined) this.#saved.set(description.id, socket);
    });
  }

  #read(fd: number, inode: number, description: Description, refuse: Refuse): SavedSocket | undefined {
    const { flags } = description.info;
    switch (intOption(fd, SOL_SOCKET, SO_DOMAIN)) {
      case AF_UNIX:
        return captureUnix(
          fd,
          { inode, waiting: this.#waiting.get(description.id) ?? [] },
          {
            all: this.#unix,
            isInside: (other) => this.#inodes.has(other),
            holder: (other) => holderWords(new Outside([linkOf(other)], this.inside).holder(linkOf(other))),
          },
          refuse,
        );
      case AF_INET:
      case AF_INET6: {
        const captured = captureInet(fd, inode, flags, refuse);
        if (captured !== undefined) this.#datagrams.push({ of: captured, description });
        return captured?.socket;
      }
      case AF_NETLINK:
        return captureNetlink(fd, inode, flags, refuse);
      case AF_PACKET:
        return capturePacket(fd, inode, flags, refuse);
      default:
        refuse("is of a family that this engine does not know");
        return undefined;
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
    for (const { of, description } of this.#datagrams) {
      const queue = of.messages.map((message): QueuedMessage => {
        const from = endpoint(message.sender, of.socket.entry.family);
        const sender = senders.get(endpointKey(from)) ?? senders.get(`*:${from.port}`);
        if (sender === undefined)
          this.refusals.push({
            description,
            reason: `holds a datagram from outside the tree (port ${from.port})`,
          });
        return { data: message.data, files: [], sender };
      });
      this.#saved.set(description.id, { ...of.socket, queue });
    }
  }

  #readConnections(): void {
    const all = this.#connections();
    const ends = new Set(
      all.map(({ socket: { entry } }) =>
        endKey(entry.src_port, entry.src_addr, entry.dst_port, entry.dst_addr),
      ),
    );
    const whole = all.filter(({ description, socket: { entry } }) => {
      const peer = endKey(entry.dst_port, entry.dst_addr, entry.src_port, entry.src_addr);
      const isWhole = ends.has(peer);
      if (!isWhole)
        this.refusals.push({
          description,
          reason: `is a TCP connection (port ${entry.src_port} to port ${entry.dst_port}) whose other end is outside the tree`,
        });
      return isWhole;
    });
    if (whole.length === 0 || this.refusals.length > 0) return;
    borrowAll(
      whole.map(({ description }) => description),
      (fds) => {
        for (const [i, connection] of readConnections(fds).entries())
          (whole[i] as { socket: InetSocket }).socket.connection = connection;
      },
    );
  }

  #connections(): { readonly description: Description; readonly socket: InetSocket }[] {
    return this.#inet().filter(({ socket }) => isConnection(socket));
  }

  #inet(): { readonly description: Description; readonly socket: InetSocket }[] {
    return this.descriptions.all.flatMap((description) => {
      const socket = this.#saved.get(description.id);
      return socket?.family === "inet" ? [{ description, socket }] : [];
    });
  }
}

function endKey(port: number, words: readonly number[], toPort: number, toWords: readonly number[]): string {
  return `${endpointKey({ port, words })} ${endpointKey({ port: toPort, words: toWords })}`;
}

function inodeOf({ link }: Description): number {
  return Number(SOCKET_LINK.exec(link)?.[1] ?? 0);
}

function linkOf(inode: number): string {
  return `socket:[${inode}]`;
}
