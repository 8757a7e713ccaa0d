import { BackendError } from "../../../../../io/errors.js";
import { AF_INET, AF_INET6 } from "../../../../../linux/sockets.js";
import type { StreamReader } from "../../../../../model/linux-cr/reader.js";
import { SYS } from "../../../sys/abi-x64.js";
import { sendMessage } from "../../../sys/socket-calls.js";

import { call } from "../../../sys/syscall.js";
import { type ImageInet, inetAddress, messagesOf } from "./image-socket.js";
import { makeRoom } from "./options.js";

const LOOPBACK = { v4: 0x0100_007f, v6: [0, 0, 0, 0x0100_0000] } as const;

/**
 * Sends datagrams again from the sockets that had sent them, then connects those that were connected: from then on they
 * hear their peer alone. Errors: BackendError for a datagram of nobody.
 */
export function fillDatagrams(
  reader: StreamReader,
  sockets: readonly ImageInet[],
  fdOf: (sock: number) => number | undefined,
): void {
  for (const socket of sockets) {
    const { received } = messagesOf(reader, socket);
    const fd = fdOf(socket.objref) ?? -1;
    const total = received.reduce((sum, { data }) => sum + data.length, 0);
    if (received.length > 0) makeRoom(fd, total);
    for (const { data, sender } of received) {
      const from = sockets.find(({ objref }) => objref === sender);
      const own = fdOf(sender);
      if (from === undefined || own === undefined || socket.local === undefined)
        throw new BackendError(
          `SOCK ${socket.objref} holds a datagram whose sender the checkpoint does not have`,
        );
      sendMessage("send a datagram again", own, data, { to: reachable(socket.local, from.family) });
    }
  }
  for (const { objref, remote } of sockets)
    if (remote !== undefined)
      call("connect a UDP socket", SYS.connect, fdOf(objref) ?? -1, remote, remote.length);
}

/** The address of a socket as one of the other family sees it; one that is bound to all is reached on loopback. */
function reachable(local: Buffer, family: number): Buffer {
  const port = local.readUInt16BE(2);
  const isV6 = local.readUInt16LE(0) === AF_INET6;
  const isAny = local.subarray(isV6 ? 8 : 4, isV6 ? 24 : 8).every((byte) => byte === 0);
  if (isV6 && family === AF_INET)
    return inetAddress(AF_INET, port, [isAny ? LOOPBACK.v4 : local.readUInt32LE(20)]);
  if (!isAny) return local;
  return isV6 ? inetAddress(AF_INET6, port, LOOPBACK.v6) : inetAddress(AF_INET, port, [LOOPBACK.v4]);
}
