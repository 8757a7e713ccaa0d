import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import type { NetlinkSkEntry } from "../../../formats/criu/tables/sk-netlink.js";
import type { SkOptsEntry } from "../../../formats/criu/tables/sk-opts.js";
import type { PacketSockEntry } from "../../../formats/criu/tables/sk-packet.js";
import type { OpenFileState } from "../files/open-files.js";
import type { Connection } from "./tcp.js";

/** A message in a queue, with the open files that travel with it. */
export interface QueuedMessage {
  readonly data: Buffer;
  readonly files: readonly OpenFileState[];
  /** Inode number of the socket of the tree that sent it; undefined when that is not known. */
  readonly sender: number | undefined;
}

export interface UnixSocket {
  readonly family: "unix";
  readonly inode: number;
  readonly type: number;
  readonly state: number;
  readonly backlog: number;
  readonly shutdown: number;
  readonly opts: SkOptsEntry;
  /** sun_path as it was given to bind(2), empty for none. */
  readonly name: Buffer;
  /** Of a relative name. */
  readonly directory: string | undefined;
  /** Whether the file is still under its name; undefined without a file. */
  readonly isLinked: boolean;
  /** Of that file. */
  readonly permissions: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
  /** Inode number of the other end, or of the listening socket that has yet to accept it; 0 for none. */
  readonly peer: number;
  readonly queue: readonly QueuedMessage[];
}

export interface InetSocket {
  readonly family: "inet";
  readonly inode: number;
  readonly entry: InetSkEntry;
  /** Index of the interface that it is bound to, 0 for none. */
  readonly ifindex: number;
  connection: Connection | undefined;
  readonly queue: readonly QueuedMessage[];
}

export type OtherSocket =
  | { readonly family: "netlink"; readonly inode: number; readonly entry: NetlinkSkEntry }
  | { readonly family: "packet"; readonly inode: number; readonly entry: PacketSockEntry };

export type SavedSocket = UnixSocket | InetSocket | OtherSocket;

/** How capturing a socket says that it cannot be saved: "has a packet filter". */
export type ReportUnsupported = (reason: string) => void;
