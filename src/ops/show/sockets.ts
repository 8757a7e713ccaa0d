import { SK_SHUTDOWN } from "../../formats/criu/tables/sk-opts.js";
import { enumName } from "../../io/enums.js";
import type { Document } from "../../model/document.js";
import type { OpenFile } from "../../model/open-file.js";
import { optionNames, type Socket } from "../../model/socket.js";
import { type Holder, heldBy, holdersOf } from "./holders.js";
import { chosenPids, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface SocketsView extends ViewHead<"sockets"> {
  readonly sockets: readonly ShownSocket[];
}

export interface ShownSocket {
  readonly id: number;
  readonly inode: number;
  readonly family: string;
  readonly type: string;
  readonly protocol: string;
  readonly state: string;
  /** `address:port`, a path, `@name`; empty if unnamed. */
  readonly local: string;
  readonly remote: string;
  readonly descriptors: readonly Holder[];
  /** The other end, for unix sockets. */
  readonly peer?: SocketPeer | undefined;
  readonly backlog?: number | undefined;
  /** READ, WRITE or BOTH. */
  readonly shutdown?: string | undefined;
  /** Bytes in the queues, and packets in the queue of a unix socket. */
  readonly received?: number | undefined;
  readonly unsent?: number | undefined;
  readonly packets?: number | undefined;
  /** Sizes of the buffers in bytes. */
  readonly sendBuffer?: number | undefined;
  readonly receiveBuffer?: number | undefined;
  readonly options: readonly string[];
  readonly networkNamespace?: number | undefined;
}

export interface SocketPeer {
  readonly inode: number;
  /** Undefined if the other end is external. */
  readonly id?: number | undefined;
  readonly descriptors: readonly Holder[];
}

/** All sockets with their ends, queues and options. */
export function socketsView({ checkpoint }: Document, options: ShowOptions = {}): SocketsView {
  const chosen = chosenPids(checkpoint, options);
  const holders = holdersOf(checkpoint);
  const sockets = checkpoint.files.all.flatMap((file) => {
    const { socket } = file;
    const descriptors = holders(file);
    if (socket === undefined || !heldBy(descriptors, chosen)) return [];
    return [shownSocket(file, socket, descriptors, holders)];
  });
  return { ...viewHead("sockets"), sockets };
}

function shownSocket(
  file: OpenFile,
  socket: Socket,
  descriptors: readonly Holder[],
  holders: (file: OpenFile) => readonly Holder[],
): ShownSocket {
  const { id, record } = file;
  const { inode, family, type, protocol, state, local, remote, backlog, peer, peerInode } = socket;
  const { shutdown, options } = socket;
  const { sendBuffer, receiveBuffer } = options;
  return {
    ...{ id, inode, family, type, protocol, state, local, remote, descriptors },
    peer: peerInode ? peerOf(peerInode, peer, holders) : undefined,
    backlog: state === "LISTEN" ? backlog : undefined,
    shutdown: shutdown ? enumName(SK_SHUTDOWN, shutdown) : undefined,
    ...socket.queued,
    ...{ sendBuffer, receiveBuffer, options: optionNames(options) },
    networkNamespace: record.ns_id as number | undefined,
  };
}

function peerOf(
  inode: number,
  file: OpenFile | undefined,
  holders: (file: OpenFile) => readonly Holder[],
): SocketPeer {
  return { inode, id: file?.id, descriptors: file === undefined ? [] : holders(file) };
}
