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
  return [...sockets.values()].flatMap((socket) => {
    const why = reasonOf(reader, socket, sockets, host);
    return why === undefined ? [] : [`SOCK ${socket.objref} ${why}`];
  });
}

function reasonOf(
  reader: StreamReader,
  socket: ImageSocket,
  sockets: ReadonlyMap<number, ImageSocket>,
  host: Host,
): string | undefined {
  switch (socket.family) {
    case AF_UNIX:
      return ofUnix(socket, sockets, host);
    case AF_INET:
    case AF_INET6:
      return ofInet(reader, socket, sockets);
    default:
      return undefined;
  }
}

function ofUnix(
  socket: ImageUnix,
  sockets: ReadonlyMap<number, ImageSocket>,
  host: Host,
): string | undefined {
  const { name, state, peer } = socket;
  if (peer !== 0 && !sockets.has(peer)) return `is connected to SOCK ${peer}, which is not in the checkpoint`;
  const isAccepted =
    state === TCP_ESTABLISHED &&
    [...sockets.values()].some(
      (each) => each.family === AF_UNIX && each.state === TCP_LISTEN && each.name.equals(name),
    );
  const isPath = name.length > 0 && name[0] !== 0;
  const why = isPath && !isAccepted ? host.whyNotReplaced(socket) : undefined;
  return why === undefined ? undefined : `cannot be bound: ${why}`;
}

function ofInet(
  reader: StreamReader,
  socket: ImageInet,
  sockets: ReadonlyMap<number, ImageSocket>,
): string | undefined {
  if (socket.protocol !== IPPROTO_TCP && socket.protocol !== IPPROTO_UDP)
    return `has protocol ${socket.protocol}, which the slim backend does not restore`;
  if (isConnection(socket)) return whyNotConnected(reader, socket) ?? otherEnd(socket, sockets);
  const isLost = messagesOf(reader, socket).received.some(({ sender }) => !sockets.has(sender));
  return isLost ? "holds datagrams whose sender is not in the checkpoint" : undefined;
}

/** Both ends must be restored together: an end outside the checkpoint has seen the connection close. */
function otherEnd(socket: ImageInet, sockets: ReadonlyMap<number, ImageSocket>): string | undefined {
  const ports = (from?: Buffer, to?: Buffer): string => `${from?.readUInt16BE(2)} ${to?.readUInt16BE(2)}`;
  const isHere = [...sockets.values()].some(
    (each) =>
      (each.family === AF_INET || each.family === AF_INET6) &&
      isConnection(each) &&
      ports(each.local, each.remote) === ports(socket.remote, socket.local),
  );
  return isHere ? undefined : "is a TCP connection whose other end is not in the checkpoint";
}
