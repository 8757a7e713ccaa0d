import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import type { PacketSockEntry } from "../../../formats/criu/tables/sk-packet.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import { AF_NETLINK, AF_PACKET, AF_UNIX, SOCK_RAW } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/open-file.js";

const RAW_SOCKETS = "a stream holds no raw IP sockets";

/** Types of open files that no record of a stream is for, and why. */
const WITHOUT_RECORD: Readonly<Record<string, string>> = {
  NS: "a stream has no record for a descriptor of a namespace",
  TUNF: "a stream has no record for a network tunnel",
  FANOTIFY: "a stream has no record for a fanotify instance",
  BPFMAP: "a stream has no record for a BPF map",
  PIDFD: "a stream has no record for a descriptor of a process",
  EXT: "a plugin of criu keeps it, in images of its own",
};
const OTHER_FAMILIES: ReadonlySet<number> = new Set([AF_UNIX, AF_NETLINK, AF_PACKET]);
const UNIX_EXTERNAL = 1;

/** Checks of the types that are expressed for the most part. */
const CHECKS: Readonly<Record<string, (file: OpenFile) => string | undefined>> = {
  REG: ({ node }) =>
    node === undefined ? "it is outside of the set and handed over at the restore" : undefined,
  FIFO: ({ node }) => (node === undefined ? "the set does not have its path" : undefined),
  UNIXSK: ({ record }) => {
    const { uflags } = record as UnixSkEntry;
    if (uflags === 0) return undefined;
    return (uflags & UNIX_EXTERNAL) !== 0
      ? "its other end is outside of the set"
      : "it is handed over at the restore";
  },
  INETSK: ({ record }) => {
    const { type, family } = record as InetSkEntry;
    if (type === SOCK_RAW) return RAW_SOCKETS;
    return OTHER_FAMILIES.has(family) ? "its family is that of another type of socket" : undefined;
  },
  PACKETSK: ({ record }) => {
    const { rx_ring: received, tx_ring: sent } = record as PacketSockEntry;
    return received === undefined && sent === undefined
      ? undefined
      : "a stream has no place for rings of packet sockets";
  },
  MEMFD: ({ special }) => (special === undefined ? "the set does not have its memory" : undefined),
  TTY: ({ special }) => {
    if (special?.kind !== "terminal") return "the set does not say which terminal it is";
    if (special.index !== undefined) return undefined;
    return `a stream holds pseudo terminals alone, this is of type ${special.type}`;
  },
};

/** Why a stream cannot hold an open file; undefined when it can. */
export function whyNotFile(file: OpenFile): string | undefined {
  const check = CHECKS[file.type];
  if (check !== undefined) return check(file);
  return (
    WITHOUT_RECORD[file.type] ?? (WRITTEN.has(file.type) ? undefined : `its type ${file.type} is unknown`)
  );
}

const WRITTEN: ReadonlySet<string> = new Set([
  ...["PIPE", "EVENTFD", "EVENTPOLL", "TIMERFD", "SIGNALFD", "INOTIFY", "NETLINKSK"],
]);
