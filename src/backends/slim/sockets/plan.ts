import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { Host } from "../restore/host.js";
import type { Image } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import {
  type ImageInet,
  type ImageSocket,
  type ImageUnix,
  imageSockets,
  isConnection,
  messagesOf,
  whyNotConnected,
} from "./image.js";

/** Sockets begin to live: from then on a failure is seen by both ends of a connection. */
export type ConnectionStep = StepBase & { readonly kind: "settle sockets" };

export function connectionSteps({ files }: Image): ConnectionStep[] {
  if (!files.all.some(({ socket }) => socket !== undefined)) return [];
  return [
    {
      kind: "settle sockets",
      task: 0,
      what: "end TCP repair and keep the names of sockets",
      why: "until now both end with crimg",
    },
  ];
}

/** Sockets that cannot be made again, or whose names or other ends are not to be had. */
export function unsupportedSockets({ reader }: Image, host: Host): string[] {
  const sockets = imageSockets(reader);
  const around = surroundings([...sockets.values()]);
  return [...sockets.values()].flatMap((socket) => {
    const why = reasonOf(reader, socket, { sockets, ...around }, host);
    return why === undefined ? [] : [`SOCK ${socket.objref} ${why}`];
  });
}

/** What is asked about the other sockets of an image. */
interface Surroundings {
  readonly sockets: ReadonlyMap<number, ImageSocket>;
  /** Names of the unix sockets that listen. */
  readonly listeners: ReadonlySet<string>;
  /** Local and remote port of each end of a TCP connection. */
  readonly ends: ReadonlySet<string>;
}

function reasonOf(
  reader: StreamReader,
  socket: ImageSocket,
  around: Surroundings,
  host: Host,
): string | undefined {
  switch (socket.family) {
    case AF_UNIX:
      return ofUnix(socket, around, host);
    case AF_INET:
    case AF_INET6:
      return ofInet(reader, socket, around);
    default:
      return undefined;
  }
}

function ofUnix(socket: ImageUnix, { sockets, listeners }: Surroundings, host: Host): string | undefined {
  const { name, state, peer } = socket;
  if (peer !== 0 && !sockets.has(peer)) return `is connected to SOCK ${peer}, which is not in the checkpoint`;
  const isAccepted = state === TCP_ESTABLISHED && listeners.has(name.toString("latin1"));
  const isPath = name.length > 0 && name[0] !== 0;
  const why = isPath && !isAccepted ? host.whyNotReplaced(socket) : undefined;
  return why === undefined ? undefined : `cannot be bound: ${why}`;
}

function ofInet(
  reader: StreamReader,
  socket: ImageInet,
  { sockets, ends }: Surroundings,
): string | undefined {
  if (socket.protocol !== IPPROTO_TCP && socket.protocol !== IPPROTO_UDP)
    return `has protocol ${socket.protocol}, which the slim backend does not restore`;
  if (isConnection(socket)) {
    // Both ends must be restored together: an end outside the checkpoint has seen the connection close.
    const isHere = ends.has(portsOf(socket.remote, socket.local));
    return (
      whyNotConnected(reader, socket) ??
      (isHere ? undefined : "is a TCP connection whose other end is not in the checkpoint")
    );
  }
  const isLost = messagesOf(reader, socket).received.some(({ sender }) => !sockets.has(sender));
  return isLost ? "holds datagrams whose sender is not in the checkpoint" : undefined;
}

function portsOf(from?: Buffer, to?: Buffer): string {
  return `${from?.readUInt16BE(2)} ${to?.readUInt16BE(2)}`;
}

function surroundings(all: readonly ImageSocket[]): Omit<Surroundings, "sockets"> {
  const listeners = new Set<string>();
  const ends = new Set<string>();
  for (const each of all) {
    if (each.family === AF_UNIX && each.state === TCP_LISTEN) listeners.add(each.name.toString("latin1"));
    const isInet = each.family === AF_INET || each.family === AF_INET6;
    if (isInet && isConnection(each)) ends.add(portsOf(each.local, each.remote));
  }
  return { listeners, ends };
}
