import { RECORDS } from "../../../formats/linux-cr/records.js";
import { AF_UNIX } from "../../../linux/sockets.js";
import { inetSocket } from "./inet-sockets.js";
import { netlinkSocket, packetSocket } from "./other-sockets.js";
import type { StreamFile } from "./stream-file.js";
import { unixSocket } from "./unix-sockets.js";

const INET: readonly number[] = [2, 10];

/** A socket by its family. */
export function socket(file: StreamFile): void {
  const { context, value, part } = file;
  const { reader } = context;
  const sock = reader.object(value.sock_objref ?? 0, "SOCK");
  if (sock === undefined)
    throw reader.image.error(part.records[0] ?? 0, `${file.label} names no socket of the stream`);
  const { family } = reader.get(sock, RECORDS.SOCKET).value.sock_common;
  if (family === AF_UNIX) unixSocket(file, sock);
  else if (reader.index(sock, RECORDS.SOCKET_NETLINK) !== undefined) netlinkSocket(file, sock);
  else if (reader.index(sock, RECORDS.SOCKET_PACKET) !== undefined) packetSocket(file, sock);
  else if (INET.includes(family)) inetSocket(file, sock);
  else context.losses.add(file.label, "the socket", `its family ${family} is not converted`);
}
